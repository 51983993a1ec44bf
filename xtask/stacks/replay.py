"""Answers the AWS SDK with recorded answers, in the protocol of each service.

A test sends `POST /answers` with a JSON object: the answers of each operation (`ecs.DescribeTasks`) in their order, of which the last one is
repeated. An answer has the `status` and the `data` that Python's SDK returned, errors included, or the `body` that was sent. The response is the path of
an endpoint that serves these answers. Other operations fail with `NotRecorded`.

Prints its port, and ends when its standard input does.
"""

import datetime
import http.server
import json
import re
import sys
import threading
import urllib.parse

import botocore.loaders
from moto.core.model import ServiceModel
from moto.core.serialize import SerializationContext, get_serializer_class

# Names of botocore for signing names in requests.
SERVICES = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2", "ec2-instance-connect": "ec2-instance-connect"}

# Where a recording has a placeholder.
SOME_TIME = datetime.datetime(2022, 6, 5, 12, 0, tzinfo=datetime.timezone.utc)

loader = botocore.loaders.Loader()
models = {}
scripts = []
lock = threading.Lock()


def model_of(service):
    if service not in models:
        description = loader.load_service_model(service, "service-2")
        models[service] = ServiceModel(description, service)
    return models[service]


def fitted(shape, value):
    """Returns the value with the types of the shape: recordings have JSON's types and placeholders."""
    if value is None:
        return None
    match shape.type_name:
        case "structure":
            members = shape.members
            return {name: fitted(members[name], inner) for name, inner in value.items() if name in members}
        case "list":
            return [fitted(shape.member, inner) for inner in value]
        case "map":
            return {name: fitted(shape.value, inner) for name, inner in value.items()}
        case "timestamp":
            return time_of(value)
        case "integer" | "long":
            return int(value) if re.fullmatch(r"-?\d+(\.0)?", str(value)) else 0
        case "float" | "double":
            return float(value) if isinstance(value, (int, float)) else 0.0
        case "boolean":
            return value in (True, "true", "True")
        case "blob":
            return value if isinstance(value, bytes) else str(value).encode()
    return value if isinstance(value, str) else json.dumps(value)


def time_of(value):
    if isinstance(value, dict):
        parts = [value.get(part, 0) for part in ("year", "month", "day", "hour", "minute", "second", "microsecond")]
        return datetime.datetime(*parts, tzinfo=datetime.timezone.utc) if parts[0] else SOME_TIME
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    try:
        time = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return SOME_TIME
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


class Refusal(Exception):
    """An error of a service, as moto's serializers read it."""

    def __init__(self, code, message, status):
        super().__init__(message)
        self.code = self.error_type = code
        self.message = message
        self.status_code = self.http_status_code = status


def operation_of(handler, body):
    """Returns botocore's names of service and operation, and the protocol of the request if the service has several."""
    scope = re.search(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/", handler.headers.get("authorization", ""))
    service = scope.group(1) if scope else ""
    service = SERVICES.get(service, service)
    if target := handler.headers.get("x-amz-target"):
        return service, target.rsplit(".", 1)[1], "json"
    if action := urllib.parse.parse_qs(body.decode(errors="replace")).get("Action"):
        return service, action[0], "ec2" if service == "ec2" else "query"
    path = handler.path.split("?")[0]
    # REST: by method and pattern of the path.
    inner = "/" + path.split("/", 2)[2]
    for name in model_of(service).operation_names:
        http = model_of(service).operation_model(name).http
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(http["requestUri"].split("?")[0]))
        if http["method"] == handler.command and re.fullmatch(pattern, inner):
            return service, name, model_of(service).protocol
    return service, handler.command, "json"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/answers":
            with lock:
                scripts.append(json.loads(body))
                number = len(scripts) - 1
            return self.reply(200, {}, f"/{number}".encode())
        service, name, protocol = operation_of(self, body)
        with lock:
            answers = scripts[int(self.path.split("/")[1])].get(f"{service}.{name}", [])
            answer = (answers.pop(0) if len(answers) > 1 else answers[0]) if answers else None
        try:
            status, headers, content = serialized(service, name, protocol, answer)
        except Exception as error:  # The test shows it.
            status, headers, content = 500, {}, f"{type(error).__name__}: {error}".encode()
        self.reply(status, headers, content)

    do_GET = do_PUT = do_DELETE = do_POST


def serialized(service, name, protocol, answer):
    if answer is not None and "body" in answer:
        return answer["status"], {"content-type": answer["content_type"]}, answer["body"].encode()
    operation = model_of(service).operation_model(name)
    if answer is None:
        answer = {"status": 400, "data": {"Error": {"Code": "NotRecorded", "Message": f"{service}.{name}"}}}
    serializer = get_serializer_class(operation.service_model.service_name, protocol)(
        operation_model=operation, context=SerializationContext()
    )
    data, status = answer["data"], answer.get("status", 200)
    if status >= 400 or "Error" in data and "Code" in data["Error"]:
        error = data["Error"]
        response = serializer.serialize(Refusal(error["Code"], error.get("Message", ""), max(status, 400)))
        response["status_code"] = max(status, 400)
    else:
        shape = operation.output_shape
        response = serializer.serialize(fitted(shape, data) if shape else {})
    content = response["body"]
    return response["status_code"], dict(response["headers"]), content.encode() if isinstance(content, str) else content


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
