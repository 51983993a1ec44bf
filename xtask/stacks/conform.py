"""Creates and deletes every stack, in order, in moto_server, from the same templates as on AWS.

Resources that moto lacks are adapted (adapt.py); each adaptation is printed with its reason. At the end the parameters that discovery
reads are compared with docs/reference/parameters.md, and the imports of the stacks with the exports.
"""

import collections
import json
import logging
import re
import sys
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

import actions
import draw
import events
from adapt import REGION, Stack, without
from templates import ROOT, exports, files, imports

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]

# A placeholder for the ARN of the certificate that the emulator creates.
CERTIFICATE = "a certificate"

# The ids of the repository that may release.
IDS = {"OwnerId": "123456", "RepositoryId": "456789"}

# The deployments: their parameters, and the conditions of the templates that are true with them.
DEPLOYMENTS = {
    "minimal parameters": (
        {"01-network": {"OperatorCidr": "198.51.100.7/32"}, "09-ci": {"Repository": "example/covid19", **IDS}},
        {"HasNoCertificate"},
    ),
    "all parameters": (
        {
            "01-network": {"OperatorCidr": "198.51.100.0/24", "EndpointsInBothZones": "false", "Network": "10.77"},
            "03-database": {
                "MultiAz": "false",
                "Gigabytes": "100",
                "MasterClass": "db.t4g.small",
                "Version": "16.11",
                "ReplicaVersion": "16.11",
            },
            "06-pipeline": {"ImageTag": "v1.2.3", "AlarmEmail": "operator@example.org", "MonthlyBudget": "400"},
            "07-ingest": {"Version": "v1.2.3", "CasesUrl": "https://example.org/Covid19Casos.zip"},
            "08-dashboard": {
                "CertificateArn": CERTIFICATE,
                "Domain": "covid.example.org",
                "DashboardCidr": "0.0.0.0/0",
                "Tasks": "2",
            },
            "09-ci": {"Repository": "example/covid19", **IDS, "ProviderArn": "arn:aws:iam::123456789012:oidc-provider/github"},
        },
        {"HasCertificate", "HasReaders", "HasAlarmEmail", "HasBudget"},
    ),
}


def client(server, service):
    host, port = server.get_host_and_port()
    return boto3.client(
        service,
        endpoint_url=f"http://{host}:{port}",
        region_name=REGION,
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",
        config=boto3.session.Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=60),
    )


def documented():
    page = (ROOT / "docs/reference/parameters.md").read_text()
    return set(re.findall(r"^\| `(/covid19/[^`]+)`", page, re.MULTILINE))


def main():
    actions.check()
    draw.check()
    events.check()
    notes = collections.Counter()
    stacks = [Stack(file, notes) for file in files()]
    # No line per request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        for deployment, (parameters, conditions) in DEPLOYMENTS.items():
            print(f"deployment: {deployment}")
            conform(server, stacks, parameters, conditions)
    finally:
        server.stop()
    for (stack, what, reason), count in sorted(notes.items()):
        print(f"adapted: {stack}: {what} ({count}): {reason}")


def conform(server, stacks, given, conditions):
    host, port = server.get_host_and_port()
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST"), timeout=60)
    cloudformation = client(server, "cloudformation")
    certificate = client(server, "acm").request_certificate(DomainName="covid.example.org")["CertificateArn"]
    exported = set()
    for stack in stacks:
        missing = imports(stack.template) - exported
        assert not missing, f"{stack.name} imports values that no earlier stack exports: {missing}"
        exported |= exports(stack.template)
        template = json.dumps(stack.adapted())
        parameters = [
            {"ParameterKey": key, "ParameterValue": certificate if value == CERTIFICATE else value}
            for key, value in given.get(stack.number, {}).items()
        ]
        cloudformation.create_stack(
            StackName=stack.name, TemplateBody=template, Parameters=parameters, Capabilities=CAPABILITIES
        )
        check_created(cloudformation, stack, json.loads(template), conditions)
        print(f"created: {stack.name}")
    check_parameters(client(server, "ssm"))
    check_resources(server)
    for stack in reversed(stacks):
        delete(server, cloudformation, stack)
        print(f"deleted: {stack.name}")
    left = [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]
    assert not left, f"stacks were not deleted: {left}"


def check_created(cloudformation, stack, template, conditions):
    status = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"]
    assert status == "CREATE_COMPLETE", f"{stack.name}: {status}"
    found = cloudformation.describe_stack_resources(StackName=stack.name)["StackResources"]
    found = {resource.get("LogicalResourceId") for resource in found}
    wanted = {
        logical
        for logical, resource in template["Resources"].items()
        if resource.get("Condition") is None or resource["Condition"] in conditions
    }
    differences = wanted ^ (found & set(template["Resources"]))
    assert not differences, f"{stack.name}: created resources differ from the template: {sorted(differences)}"


def check_parameters(ssm):
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/covid19", Recursive=True)
    written = {parameter["Name"]: parameter["Value"] for page in pages for parameter in page["Parameters"]}
    assert set(written) == documented(), f"the parameters differ from docs/reference/parameters.md: {set(written) ^ documented()}"
    empty = [name for name, value in written.items() if not value]
    assert not empty, f"parameters without a value: {empty}"


def check_resources(server):
    """Checks the resources that discovery reads."""
    ecs = client(server, "ecs")
    assert ecs.describe_clusters(clusters=["covid19"])["clusters"][0]["status"] == "ACTIVE"
    for family in ["covid19-etl", "covid19-report", "covid19-metabase"]:
        definition = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
        assert definition["family"] == family, definition
    group = client(server, "autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["covid19-bastion"])
    instances = group["AutoScalingGroups"][0]["Instances"]
    assert [instance["LifecycleState"] for instance in instances] == ["InService"], instances
    databases = client(server, "rds").describe_db_instances()["DBInstances"]
    assert {database["DBInstanceIdentifier"] for database in databases} == {"covid19-master", "covid19-replica"}
    buckets = {bucket["Name"] for bucket in client(server, "s3").list_buckets()["Buckets"]}
    wanted = {f"covid19-{name}-123456789012-{REGION}" for name in ["artifacts", "datasets", "reports"]}
    assert buckets == wanted, buckets
    function = client(server, "lambda").get_function(FunctionName="covid19-download")["Configuration"]
    assert (function["MemorySize"], function["Timeout"]) == (512, 900), function
    rules = {rule["Name"] for rule in client(server, "events").list_rules()["Rules"]}
    assert rules == {"covid19-download", "covid19-report-after-etl", "covid19-run-failed"}, rules


def delete(server, cloudformation, stack):
    if stack.name == "covid19-network":
        stack.note("AWS::EC2::RouteTable", "deleted before the stack: moto does not delete them", 3)
        delete_route_tables(client(server, "ec2"), cloudformation, stack)
    if stack.name == "covid19-database":
        stack.note("AWS::RDS::DBInstance", "the replica is deleted by an update: moto loses its source", 1)
        cloudformation.update_stack(
            StackName=stack.name, TemplateBody=json.dumps(without(stack.adapted(), "Replica")), Capabilities=CAPABILITIES
        )
    cloudformation.delete_stack(StackName=stack.name)


def delete_route_tables(ec2, cloudformation, stack):
    found = cloudformation.describe_stack_resources(StackName=stack.name)["StackResources"]
    tables = [part["PhysicalResourceId"] for part in found if part["ResourceType"] == "AWS::EC2::RouteTable"]
    for table in ec2.describe_route_tables(RouteTableIds=tables)["RouteTables"]:
        for association in table["Associations"]:
            ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
        ec2.delete_route_table(RouteTableId=table["RouteTableId"])


if __name__ == "__main__":
    sys.exit(main())
