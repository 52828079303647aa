"""All services that Drawbridge asks over gRPC, made by other hands: grpcio, with what grpcio-tools generates from the definitions
in crates/adapter-grpc/proto. Told what to do, and telling what happens, as `tests/node/grpc.mjs` describes.
"""

import asyncio
import base64
import hashlib
import importlib
import json
import os
import re
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import grpc
from google.protobuf import json_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_tools import protoc

ORDER = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
PROTO = Path(__file__).parent / "../../crates/adapter-grpc/proto"
DISCOVERY = "discovery_nested" if ORDER.get("form") == "nested" else "discovery"
FILES = ["adapter", "status", "authentication", "discovery_action", "strategy", "localization", DISCOVERY]
GARBAGE = bytes([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2, 3])

rules = {}
health = ORDER.get("health")
changed = asyncio.Condition()


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def generate(folder):
    """The modules of the definitions, made by their own tools."""
    arguments = ["protoc", f"-I{PROTO}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    if protoc.main(arguments + [f"{name}.proto" for name in FILES]) != 0:
        sys.exit("protoc failed")
    sys.path.insert(0, folder)
    return {name: (importlib.import_module(f"{name}_pb2"), importlib.import_module(f"{name}_pb2_grpc")) for name in FILES}


def rule_for(method, request):
    rule = rules.get(method)
    while rule is not None:
        if rule.get("times") == 0:
            rule = rule.get("otherwise")
            continue
        if "times" in rule:
            rule["times"] -= 1
        if "byPlayer" not in rule:
            return rule
        name = request.get("username") or request.get("player", {}).get("name")
        rule = rule["byPlayer"].get(name, rule.get("otherwise"))
    return {"error": grpc.StatusCode.UNIMPLEMENTED.value[0], "details": f"no rule for {method}"}


def filled(value, request):
    if isinstance(value, list):
        return [filled(item, request) for item in value]
    if isinstance(value, dict):
        if "base64" in value:
            return value["base64"]
        return {key: filled(item, request) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    client = request.get("client", request)
    words = {
        "$name": request.get("username") or request.get("player", {}).get("name") or request.get("params", {}).get("name", ""),
        "$host": client.get("server_address", {}).get("hostname") or request.get("params", {}).get("host", ""),
        "$locale": request.get("locale", "none"),
    }
    return re.sub(r"\$name|\$host|\$locale", lambda found: words[found.group()], value)


def has_joined(url, request):
    """Asks a session server, as Minecraft's own server does."""
    digest = hashlib.sha1(base64.b64decode(request["shared_secret"]) + base64.b64decode(request["encoded_public"])).digest()
    server_hash = format(int.from_bytes(digest, "big", signed=True), "x")
    query = urllib.parse.urlencode({"username": request["player"]["name"], "serverId": server_hash})
    with urllib.request.urlopen(f"{url}/session/minecraft/hasJoined?{query}") as answer:
        if answer.status != 200:
            return {"key": "denied"}
        profile = json.load(answer)
    return {"profile": {key: profile[key] for key in ("id", "name", "properties")}}


def code_of(number):
    return next(code for code in grpc.StatusCode if code.value[0] == number)


def handler(method, asked, answered):
    async def serve(message, context):
        request = json_format.MessageToDict(message, preserving_proto_field_name=True)
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        tell("call", method=method, request=request, metadata=metadata, deadline=(context.time_remaining() or 0) * 1000, peer=context.peer())
        rule = rule_for(method, request)
        if rule.get("hang"):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                tell("cancelled", method=method, at=time.time() * 1000)
                raise
        if rule.get("die"):
            os._exit(1)
        if rule.get("garbage"):
            return GARBAGE
        if "error" in rule:
            await context.abort(code_of(rule["error"]), rule.get("details", ""))
        if "hasJoined" in rule:
            answer = await asyncio.to_thread(has_joined, rule["hasJoined"], request)
        else:
            answer = filled(rule["answer"], request)
        return json_format.ParseDict(answer, answered()).SerializeToString()

    return grpc.unary_unary_rpc_method_handler(serve, request_deserializer=asked.FromString, response_serializer=bytes)


def add_services(server, modules):
    for module, _ in modules.values():
        for name, service in module.DESCRIPTOR.services_by_name.items():
            methods = {
                method.name: handler(
                    method.name,
                    getattr(module, method.input_type.name),
                    getattr(module, method.output_type.name),
                )
                for method in service.methods
            }
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, methods),))


class Health(health_pb2_grpc.HealthServicer):
    async def Watch(self, request, context):
        while True:
            told = health
            yield health_pb2.HealthCheckResponse(status=told)
            async with changed:
                await changed.wait_for(lambda: health != told)


async def obey(reader):
    global health
    while line := await reader.readline():
        command = json.loads(line)
        rules.update(command.get("set", {}))
        if "health" in command:
            async with changed:
                health = command["health"]
                changed.notify_all()
        tell("done", id=command.get("id"))


async def main():
    server = grpc.aio.server()
    with tempfile.TemporaryDirectory() as folder:
        add_services(server, generate(folder))
    if health is not None:
        health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
    address = f"127.0.0.1:{ORDER.get('port', 0)}"
    if tls := ORDER.get("tls"):
        pem = {name: Path(path).read_bytes() for name, path in tls.items()}
        credentials = grpc.ssl_server_credentials(
            [(pem["key"], pem["cert"])], root_certificates=pem.get("ca"), require_client_auth="ca" in pem
        )
        port = server.add_secure_port(address, credentials)
    else:
        port = server.add_insecure_port(address)
    await server.start()
    tell("listening", port=port)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await obey(reader)
    await server.stop(0)


asyncio.run(main())
