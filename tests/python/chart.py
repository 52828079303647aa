"""Renders the Helm chart with Helm's own library, and holds what comes out to what Kubernetes and the edge expect.

    chart.py <chart> <edge's program>

Each file in the chart's folder `ci` is a set of values. What must stay true: no cluster is asked, nothing is written but in a
temporary folder, and the edge listens on 127.0.0.1 alone.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import helm_python
import kubernetes_validate
import yaml

# The oldest release that the chart says it runs on, and the newest whose schemas the package has.
KUBERNETES = ["1.27", kubernetes_validate.latest_version()]
# Kinds that Kubernetes itself doesn't know.
FOREIGN = {"ServiceMonitor"}
INFO = 1
NAMESPACE = "edges"
# What each set of values must bring forth: a template that brings forth nothing is as good as none.
KINDS = {
    "minimal-values.yaml": {
        "ConfigMap": 1, "Deployment": 1, "NetworkPolicy": 1, "PodDisruptionBudget": 1, "Service": 2, "ServiceAccount": 1,
    },
}
KINDS["full-values.yaml"] = KINDS["minimal-values.yaml"] | {
    "HorizontalPodAutoscaler": 1, "Role": 4, "RoleBinding": 4, "ServiceMonitor": 1,
}
# How long something may take that takes a moment.
PATIENCE = 30


def rendered(chart, values):
    """The manifests, by kind and name."""
    report = helm_python.lint(chart, values, strict=True)
    findings = [message for message in report["messages"] if message["severity"] > INFO] + report["errors"]
    assert not findings, findings
    with helm_python.Chart.load(chart) as loaded:
        texts = loaded.render(values, name="release", namespace=NAMESPACE)
    manifests = {}
    for path, text in texts.items():
        if path.endswith(".txt"):
            assert text.strip(), f"{path} is empty"
            continue
        for manifest in filter(None, yaml.safe_load_all(text)):
            key = (manifest["kind"], manifest["metadata"].get("namespace", NAMESPACE), manifest["metadata"]["name"])
            assert key not in manifests, f"{key} twice"
            manifests[key] = manifest
    return manifests


def validate(manifests):
    for manifest in manifests.values():
        if manifest["kind"] in FOREIGN:
            continue
        for version in KUBERNETES:
            kubernetes_validate.validate(manifest, version, strict=True)


def of_kind(manifests, kind):
    return [manifest for (is_kind, _, _), manifest in manifests.items() if is_kind == kind]


def check_selectors(manifests):
    """Whatever selects pods selects the deployment's, and ports are known by the names that they have there."""
    (deployment,) = of_kind(manifests, "Deployment")
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"].items()
    (container,) = template["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    selectors = [service["spec"]["selector"] for service in of_kind(manifests, "Service")]
    selectors += [budget["spec"]["selector"]["matchLabels"] for budget in of_kind(manifests, "PodDisruptionBudget")]
    selectors += [policy["spec"]["podSelector"]["matchLabels"] for policy in of_kind(manifests, "NetworkPolicy")]
    assert len(selectors) == 4, selectors
    for selector in selectors:
        assert selector.items() <= labels, selector
    for service in of_kind(manifests, "Service"):
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in ports, port
    for monitor in of_kind(manifests, "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        services = [service for service in of_kind(manifests, "Service") if wanted <= service["metadata"]["labels"].items()]
        assert len(services) == 1, "of the two services the monitor wants the one of the metrics"
        assert monitor["spec"]["endpoints"][0]["port"] == services[0]["spec"]["ports"][0]["name"]
    for name, path in [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]:
        assert container[name]["httpGet"] == {"path": path, "port": "metrics"}, container[name]
    return deployment, container, ports


def check_shut_in(deployment, container):
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] > 0
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "privileged" not in container["securityContext"] and "hostNetwork" not in pod


def check_kinds(file, manifests):
    kinds = [kind for kind, _, _ in manifests]
    assert {kind: kinds.count(kind) for kind in kinds} == KINDS[file.name], (file.name, sorted(kinds))


def check_scaling(manifests, deployment, values):
    """Who scales, scales the deployment, which then doesn't say how many there are."""
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        name = deployment["metadata"]["name"]
        assert scaler["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert scaler["spec"]["minReplicas"] == values["autoscaling"]["minReplicas"]
        assert "replicas" not in deployment["spec"], "the deployment undoes what the scaler does"


def rights(agones):
    """What the edge calls with these values, by group, resource and verb."""
    servers = {"list"} if agones["allocate"] or agones["watch"] else set()
    servers |= {"watch"} if agones["watch"] else set()
    servers |= {"patch"} if agones["relabelOrphans"] else set()
    servers |= {"delete"} if agones["deleteOrphans"] else set()
    calls = {("agones.dev", "gameservers", verb) for verb in servers}
    return calls | ({("allocation.agones.dev", "gameserverallocations", "create")} if agones["allocate"] else set())


def check_account(manifests, deployment, agones, provider):
    """The pods are somebody, and in each namespace may do what the edge calls there, and no more."""
    (account,) = of_kind(manifests, "ServiceAccount")
    pod = deployment["spec"]["template"]["spec"]
    name = account["metadata"]["name"]
    assert pod["serviceAccountName"] == name
    needed = agones["enabled"] or provider["enabled"]
    assert pod["automountServiceAccountToken"] is needed, "the token is there for who needs it alone"
    wanted = {}
    if agones["enabled"]:
        for namespace in agones["namespaces"] or [NAMESPACE]:
            wanted.setdefault(namespace, set()).update(rights(agones))
    if provider["enabled"]:
        for namespace in provider["namespaces"] or [NAMESPACE]:
            wanted.setdefault(namespace, set()).update({("", "services", "list"), ("", "services", "watch")})
    assert granted(manifests, name) == wanted, (granted(manifests, name), wanted)


def granted(manifests, account):
    """What roles grant in each namespace, or in all ("*"), each of which has to be bound to the account."""
    found = {}
    for kind in ("Role", "ClusterRole"):
        bindings = {place(binding): binding for binding in of_kind(manifests, f"{kind}Binding")}
        roles = of_kind(manifests, kind)
        assert set(bindings) == {place(role) for role in roles}, (bindings, roles)
        for role in roles:
            binding = bindings[place(role)]
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role["metadata"]["name"]}
            assert binding["roleRef"] == reference
            assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]
            found.setdefault(place(role)[0], set()).update(
                (group, resource, verb)
                for rule in role["rules"]
                for group in rule["apiGroups"]
                for resource in rule["resources"]
                for verb in rule["verbs"]
            )
    return found


def place(role):
    return role["metadata"].get("namespace", "*"), role["metadata"]["name"]


def check_rights(chart, values):
    """Each option alone grants what it is for, in the release's own namespace where none is named."""
    off = {"enabled": True, "allocate": False, "watch": False, "relabelOrphans": False, "deleteOrphans": False, "namespaces": []}
    provider_off = {"enabled": False, "namespaces": []}
    for options in [["allocate"], ["watch"], ["allocate", "relabelOrphans"], ["allocate", "deleteOrphans"]]:
        check_rights_of(chart, values, off | dict.fromkeys(options, True), provider_off)
    for namespaces in [[], ["games"], ["*"]]:
        check_rights_of(chart, values, off | {"enabled": False}, {"enabled": True, "namespaces": namespaces})


def check_rights_of(chart, values, agones, provider):
    manifests = rendered(chart, values | {"agones": agones, "providers": {"kubernetes": provider}})
    validate(manifests)
    (deployment,) = of_kind(manifests, "Deployment")
    check_account(manifests, deployment, agones, provider)


def check_time_to_end(deployment, environment):
    spent = sum(int(environment[f"DRAWBRIDGE__SHUTDOWN__{part}"].strip('"').removesuffix("s")) for part in ("DELAY", "GRACE"))
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == spent + 10


def answer(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def eventually(port, path, status):
    deadline = time.monotonic() + PATIENCE
    while (seen := answer(port, path)) != status:
        assert time.monotonic() < deadline, f"{path} answers {seen}, not {status}"
        time.sleep(0.02)


def check_probes(container, program, arguments, environment):
    """Starts the edge as a pod does, but for its ports, and asks it what Kubernetes asks: while it runs, and once it is to end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ports = {"DRAWBRIDGE__BIND": '["127.0.0.1:0"]', "DRAWBRIDGE__METRICS__BIND": f'"127.0.0.1:{port}"'}
    edge = subprocess.Popen(
        [program, *arguments], env={**os.environ, **environment, **ports}, stderr=subprocess.PIPE, text=True
    )
    try:
        paths = {probe: container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        for path in paths.values():
            eventually(port, path, 200)
        edge.send_signal(signal.SIGTERM)
        eventually(port, paths["readinessProbe"], 503)
        assert answer(port, paths["livenessProbe"]) == 200, "it isn't to be killed while it ends"
    finally:
        edge.kill()
        log = edge.communicate()[1]
        if sys.exc_info()[0]:
            print(log, file=sys.stderr)


def check_edge(manifests, deployment, container, program):
    """Lays the configuration out as a pod has it, and lets the edge check it with the pod's own arguments and environment."""
    (config,) = of_kind(manifests, "ConfigMap")
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "configuration"]
    with tempfile.TemporaryDirectory() as root:
        expected = 0
        for source in volumes["configuration"]["projected"]["sources"]:
            kind, source = next(iter(source.items()))
            for item in source["items"]:
                path = Path(root, mount["mountPath"].lstrip("/"), item["path"])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(config["data"][item["key"]] if kind == "configMap" else "k" * 48)
                path.chmod(0o440)
            if kind == "configMap":
                assert source["name"] == config["metadata"]["name"]
                expected = len(config["data"])
                assert len(source["items"]) == expected, "a file that isn't mounted"
        assert expected > 0

        def moved(text):
            return text.replace(mount["mountPath"], root + mount["mountPath"])

        environment = {variable["name"]: moved(variable["value"]) for variable in container["env"]}
        arguments = [moved(argument) for argument in container["args"]]
        assert arguments[0] == "run"
        check = subprocess.run(
            [program, "check", *arguments[1:]], env={**os.environ, **environment}, capture_output=True, text=True
        )
        assert check.returncode == 0, check.stderr
        check_probes(container, program, arguments, environment)
        # With a mistake in the last file it fails: what was checked is what is mounted.
        path.chmod(0o640)
        path.write_text("mistake = 1")
        check = subprocess.run([program, "check", *arguments[1:]], env={**os.environ, **environment}, capture_output=True)
        assert check.returncode == 1, "the mounted files aren't what the edge reads"
    return environment


def check_schema(chart):
    """What would be ignored, or set aside what the chart counts on, is refused."""
    refused = [
        {"replica": 3},
        {"service": {"type": "LoadBalancr"}},
        {"metrics": {"port": 25565}},
        {"shutdown": {"graceSeconds": "30s"}},
        {"routes": {"a/b": "x"}},
        {"providers": {"kubernetes": {"namespaces": ["*", "games"]}}},
        {"env": [{"name": "DRAWBRIDGE__SHUTDOWN__GRACE", "value": "1h"}]},
    ]
    with helm_python.Chart.load(chart) as loaded:
        for values in refused:
            try:
                loaded.validate_schema(loaded.merge_values(values))
            except helm_python.HelmError:
                continue
            raise AssertionError(f"{values} is taken")


def main(chart, program):
    check_schema(chart)
    sets = sorted(Path(chart, "ci").glob("*.yaml"))
    assert sets
    assert {file.name for file in sets} == set(KINDS)
    defaults = yaml.safe_load(Path(chart, "values.yaml").read_text())
    for file in sets:
        values = yaml.safe_load(file.read_text()) or {}
        manifests = rendered(chart, values)
        validate(manifests)
        check_kinds(file, manifests)
        deployment, container, ports = check_selectors(manifests)
        check_shut_in(deployment, container)
        check_scaling(manifests, deployment, values)
        provider = defaults["providers"]["kubernetes"] | values.get("providers", {}).get("kubernetes", {})
        check_account(manifests, deployment, defaults["agones"] | values.get("agones", {}), provider)
        environment = check_edge(manifests, deployment, container, program)
        check_time_to_end(deployment, environment)
        assert environment["DRAWBRIDGE__METRICS__BIND"] == f'"[::]:{ports["metrics"]}"'
        assert environment["DRAWBRIDGE__BIND"] == f'["[::]:{ports["minecraft"]}"]'
        print(f"{file.name}: {len(manifests)} manifests")
    check_rights(chart, yaml.safe_load(Path(chart, "ci/minimal-values.yaml").read_text()) or {})


if __name__ == "__main__":
    main(*sys.argv[1:])
