"""Fills the four log groups of the pipeline in an emulator with events, some of them out of order. Prints their number."""

import sys
import time

import boto3

GROUPS = ["/aws/lambda/covid19-download", "/ecs/covid19-etl", "/ecs/covid19-report", "/ecs/covid19-metabase"]
BATCH = 10_000


def main(endpoint: str, events: int) -> None:
    logs = boto3.client(
        "logs", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    start = int(time.time() * 1000) - 50 * 60 * 1000
    each = events // len(GROUPS)
    for number, group in enumerate(GROUPS):
        logs.create_log_group(logGroupName=group)
        for stream in ("one", "two"):
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        for first in range(0, each, BATCH):
            batch = [
                {
                    # Every seventh event is older than the one before it.
                    "timestamp": start + at * 20 - (3_000 if at % 7 == 0 else 0),
                    "message": f'{{"level":"INFO","message":"event {at} of {group}","rows":{at * 31},"number":{number}}}',
                }
                for at in range(first, min(first + BATCH, each))
            ]
            # The service requires the events of a request in time order.
            batch.sort(key=lambda event: event["timestamp"])
            stream = "one" if (first // BATCH) % 2 == 0 else "two"
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)
    print(each * len(GROUPS))


main(sys.argv[1], int(sys.argv[2]))
