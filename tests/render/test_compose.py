import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgit.desired import Autoscale, Blueprint, Desired, DesiredEnvironment, DesiredService
from mmgit.render.rendering import render
from mmgit.spec.service import Egress, Patch, SecretKey

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]
FOLDER = "environments/dev/rendered"
DIGEST = "sha256:" + "0d4b" * 16


@pytest.fixture
def tree(service: MakeService, environment: MakeEnvironment) -> Callable[..., dict[str, str]]:
    """Renders services (fields of each, by name) of a compose environment: path below `rendered/` -> text."""

    def rendered(services: dict[str, dict[str, Any]], **fields: Any) -> dict[str, str]:
        made = [service(name, **{"blueprint": "compose/default"} | own) for name, own in services.items()]
        result = render(Desired({"dev": environment(*made, name="dev", target="compose", **fields)}))
        assert result.findings == ()
        return {path.removeprefix(f"{FOLDER}/"): data.decode() for path, data in result.files.items()}

    return rendered


Tree = Callable[..., dict[str, str]]


def entry_of(files: dict[str, str], path: str = "retention/services/churn.yaml") -> Any:
    (entry,) = yaml.safe_load(files[path])["services"].values()
    return entry


def test_an_environment_becomes_these_files_each_with_its_header(tree: Tree) -> None:
    files = tree({"churn": {}, "iris": {"group": "default"}})

    assert list(files) == [
        "_proxy/compose.yaml",
        "_proxy/haproxy/haproxy.cfg",
        "compose.yaml",
        "default/haproxy/iris.cfg",
        "default/keys/iris/keys.json",
        "default/services/iris.yaml",
        "default/settings/iris/settings.json",
        "retention/haproxy/churn.cfg",
        "retention/keys/churn/keys.json",
        "retention/services/churn.yaml",
        "retention/settings/churn/settings.json",
    ]
    assert all(re.match(r"# mmgit 1 sha256:[0-9a-f]{64}\n", text) for text in files.values())


def test_compose_yaml_only_includes_sorted(tree: Tree) -> None:
    files = tree({"churn": {}, "abc": {}, "iris": {"group": "default"}})

    assert yaml.safe_load(files["compose.yaml"]) == {
        "name": "mmgit-dev",
        "include": [
            "_proxy/compose.yaml",
            "default/services/iris.yaml",
            "retention/services/abc.yaml",
            "retention/services/churn.yaml",
        ],
    }


def test_settings_and_keys_are_json_under_their_header(tree: Tree) -> None:
    files = tree({"churn": {}})

    for path in ("retention/settings/churn/settings.json", "retention/keys/churn/keys.json"):
        assert isinstance(json.loads(files[path].partition("\n")[2]), dict)


def test_what_lies_in_tmp_may_run_where_the_service_says_so(tree: Tree) -> None:
    entry = entry_of(tree({"churn": {"parameters": {"tmp-exec": True}}}))

    assert entry["tmpfs"] == ["/tmp:size=256m,mode=1777,exec"]  # noqa: S108 - inside the container


def test_a_container_has_no_rights_limits_and_a_health_check(tree: Tree) -> None:
    entry = entry_of(tree({"churn": {"cpu": "1500m", "memory": "512Mi", "timeout_seconds": 60}}))

    assert entry["image"] == f"registry.example.com/models/churn@{DIGEST}"
    assert (entry["read_only"], entry["user"], entry["cap_drop"]) == (True, "65532:65532", ["ALL"])
    assert entry["security_opt"] == ["no-new-privileges:true"]
    assert entry["tmpfs"] == ["/tmp:size=256m,mode=1777"]  # noqa: S108 - inside the container
    assert entry["deploy"] == {
        "replicas": 1,
        "resources": {"limits": {"cpus": "1.5", "memory": str(512 * 2**20), "pids": 1024}},
    }
    assert entry["healthcheck"]["test"][:2] == ["CMD", "/usr/bin/python3"]
    assert entry["stop_grace_period"] == "75s"
    assert "environment" not in entry


def test_it_mounts_its_settings_and_keys_as_folders_read_only(tree: Tree) -> None:
    entry = entry_of(tree({"churn": {}}))

    mounts = [(each["source"], each["target"], each["read_only"]) for each in entry["volumes"]]
    assert mounts == [
        ("../settings/churn", "/etc/mmgit/settings", True),
        ("../keys/churn", "/etc/mmgit/keys", True),
    ]


def test_only_a_service_that_records_has_a_volume_for_it(tree: Tree) -> None:
    entry = entry_of(tree({"churn": {"telemetry": {"spool_bytes": 2**28}}}))

    assert entry["volumes"][2:] == [{"type": "volume", "target": "/var/spool/mmgit"}]


def test_a_change_of_settings_recreates_it_and_a_change_of_keys_does_not(tree: Tree) -> None:
    path = "retention/services/churn.yaml"
    before = tree({"churn": {}})[path]

    assert tree({"churn": {"keys": ()}})[path] == before
    assert tree({"churn": {"settings": {"service": "churn", "queue": 3}}})[path] != before


def test_autoscaled_services_run_the_least_replicas_with_room_for_more(tree: Tree) -> None:
    files = tree({"churn": {"scale": Autoscale(min=2, max=30, target=70)}})

    assert entry_of(files)["deploy"]["replicas"] == 2
    assert "server-template replica 1-30 " in files["retention/haproxy/churn.cfg"]


def test_only_a_service_with_egress_is_on_the_network_that_leads_out(tree: Tree) -> None:
    closed, opened = entry_of(tree({"churn": {}})), entry_of(tree({"churn": {"egress": (Egress(namespace="db"),)}}))

    assert closed["networks"] == {"services": {"aliases": ["churn.services"]}}
    assert opened["networks"].keys() == {"services", "outside"}


def test_secrets_come_from_a_file_outside_git(tree: Tree) -> None:
    entry = entry_of(tree({"churn": {"variables": {"A": "x", "B": SecretKey(secret="s", key="k")}}}))

    assert entry["environment"] == {"A": "x"}
    assert entry["env_file"] == [
        {"path": "${MMGIT_STATE:?start with mmgit up}/secrets/churn.env", "required": True, "format": "raw"}
    ]


def test_a_gpu_is_reserved(tree: Tree) -> None:
    reserved = entry_of(tree({"churn": {"gpu": 1}}))["deploy"]["resources"]["reservations"]

    assert reserved == {"devices": [{"driver": "nvidia", "count": "1", "capabilities": ["gpu"]}]}


def test_a_patch_changes_the_entry_of_the_service(tree: Tree) -> None:
    patch = Patch.read({"target": {"kind": "Service"}, "merge": {"restart": "always", "tmpfs": None}})

    entry = entry_of(tree({"churn": {"patches": (patch,)}}))

    assert entry["restart"] == "always"
    assert "tmpfs" not in entry


@pytest.mark.parametrize(
    ("change", "fields", "reason"),
    [
        ({"merge": {"volumes": 3}}, {}, "`volumes` is no list"),
        ({"json": [{"op": "add", "path": "/volumes", "value": {}}]}, {}, "`volumes` is no list"),
        ({"merge": {"image": "x"}}, {}, "`image` is set by mmgit and cannot be changed"),
        ({"merge": {"labels": {"a": "b"}}}, {}, "`labels` is set by mmgit and cannot be changed"),
        ({"merge": {"networks": None}}, {}, "`networks` is set by mmgit and cannot be changed"),
        *(
            ({"merge": {"env_file": "x"}}, {"variables": variables}, "`env_file` is set by mmgit and cannot be changed")
            for variables in ({}, {"B": SecretKey(secret="s", key="k")})
        ),
    ],
)
def test_a_patch_of_what_it_cannot_change_is_an_error_at_its_place(
    service: MakeService, environment: MakeEnvironment, change: dict[str, Any], fields: dict[str, Any], reason: str
) -> None:
    patch = Patch.read({"target": {"kind": "Service"}, **change})
    made = service(blueprint="compose/default", patches=(patch,), **fields)

    result = render(Desired({"dev": environment(made, name="dev", target="compose")}))

    (finding,) = result.findings
    assert (finding.code, finding.keys) == ("M521", ("patches", 0))
    assert finding.message == f"patch of Service: {reason}"


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("$for: x in [1]\n$do: 3\n", "this file makes the number 3; every object is a map"),
        ("volumes: 3\n", "blueprint `own`: `volumes` is no list"),
    ],
)
def test_a_blueprint_that_makes_no_container_is_an_error(
    service: MakeService, environment: MakeEnvironment, sheet: str, message: str
) -> None:
    own = {"own": Blueprint("own", {"blueprint.yaml": "{}\n", "a.yaml": sheet})}

    result = render(Desired({"dev": environment(service(blueprint="own"), name="dev", target="compose")}, own))

    (finding,) = result.findings
    assert (finding.code, finding.message) == ("M512", message)


def test_the_proxy_ends_tls_with_the_declared_certificate_or_one_outside_git(tree: Tree) -> None:
    declared = tree({"churn": {}}, tls={"certificate": "/etc/tls/a.pem", "key": "/etc/tls/a.key"}, port=443)
    proxy, own = (entry_of(files, "_proxy/compose.yaml") for files in (declared, tree({"churn": {}})))

    def sources(entry: Any) -> dict[str, str]:
        return {each["target"]: each["source"] for each in entry["volumes"]}

    assert sources(proxy) == {
        "/etc/haproxy/proxy": "./haproxy",
        "/etc/haproxy/services/retention": "../retention/haproxy",
        "/etc/haproxy/tls/tls.pem": "/etc/tls/a.pem",
        "/etc/haproxy/tls/tls.pem.key": "/etc/tls/a.key",
    }
    assert sources(own)["/etc/haproxy/tls/tls.pem"] == "${MMGIT_STATE:?start with mmgit up}/tls.pem"
    assert proxy["ports"] == [{"target": 8443, "published": "443", "protocol": "tcp"}]
    assert proxy["image"] == f"localhost:5000/models/proxy@{DIGEST}"


def test_without_an_image_of_the_proxy_there_is_a_finding(service: MakeService, environment: MakeEnvironment) -> None:
    made = environment(service(blueprint="compose/default"), name="dev", target="compose")

    result = render(Desired({"dev": DesiredEnvironment(made.name, made.spec, made.services)}))

    assert [(each.code, each.path) for each in result.findings] == [("M540", "environments/dev/environment.yaml")]


def test_an_environment_without_services_has_no_files(environment: MakeEnvironment) -> None:
    assert render(Desired({"dev": environment(name="dev", target="compose")})).files == {}


@given(value=st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(["$A", "${B:-c}", "$$"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_changes_the_structure_or_is_interpolated(tree: Tree, value: str) -> None:
    entry = entry_of(tree({"churn": {"variables": {"A": value}}}))

    assert entry.keys() == entry_of(tree({"churn": {"variables": {"A": "x"}}})).keys()
    assert entry["environment"]["A"].replace("$$", "").count("$") == 0
    assert entry["environment"]["A"].replace("$$", "$") == value


@pytest.mark.docker
def test_docker_compose_reads_it(tree: Tree, tmp_path: Path) -> None:
    variables = {"A": "${HOME} $B", "C": SecretKey(secret="s", key="k")}
    for path, text in tree({"churn": {"variables": variables}, "iris": {"group": "default"}}).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/churn.env").write_text("C=a$b\n")
    environment = {"MMGIT_STATE": str(tmp_path), "PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    docker = shutil.which("docker") or "docker"

    done = subprocess.run(
        [docker, "compose", "-f", "compose.yaml", "config", "--format", "json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["services"].keys() == {"churn", "iris", "mmgit_proxy"}
    assert read["services"]["churn"]["environment"] == {"A": "$${HOME} $$B", "C": "a$$b"}
    assert read["networks"]["services"]["internal"] is True
