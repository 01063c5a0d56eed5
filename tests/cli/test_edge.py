"""What a person types for devices of IoT Edge, from the environment to the commands that deploy."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.addresses import address_of
from mmgit.repository.reading import parse
from mmgit.spec import EnvironmentSpec, ServiceSpec

Git = Callable[..., str]
Mmgit = Callable[..., Any]

HEAD = "apiVersion: mmgit.dev/v1\n"
LOCKS = Path(__file__).parents[1] / "cases/locks"
RENDERED = "environments/plant/rendered"
SERVICE = "environments/plant/services/churn.yaml"
KEY_FILE = ("--key-file", ".mmgit/churn.key")
EDGE = f"edge: {{agent: r.example/agent@sha256:{'a' * 64}, hub: r.example/hub@sha256:{'b' * 64}}}\n"
PROJECT = 'kind: Project\nmmgit: "==0.1.0"\nplatforms: [linux/amd64, linux/arm64]\n'


@pytest.fixture
def root(here: Callable[..., Path], git: Git) -> Path:
    """A repository with a locked image, and no environment of devices yet."""
    locks = {path.relative_to(LOCKS).as_posix(): path.read_bytes() for path in LOCKS.rglob("*") if path.is_file()}
    root = here({**locks, "environments/dev/services/churn.yaml": None})
    (root / ".mmgit").mkdir()
    (root / ".gitignore").write_text("/.mmgit/\n")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    return root


def committed(mmgit: Mmgit, git: Git) -> None:
    ended = mmgit("compile")
    assert ended.code == 0, ended.err
    git("add", "-A")
    git("commit", "-q", "-m", "Compile")


def test_a_service_is_created_compiled_and_deployed_by_the_commands_that_are_printed(
    root: Path, mmgit: Mmgit, git: Git
) -> None:
    options = ("--registry", "registry.example.com/ml", "--host", "line-4.plant.example.com")
    created = mmgit("env", "create", "plant", "--target", "iot-edge", *options)
    service = mmgit("service", "create", "churn", "--env", "plant", "--unverified", *KEY_FILE)
    committed(mmgit, git)
    (root / SERVICE).write_text((root / SERVICE).read_text() + "parameters: {port: 8080}\n")
    early = mmgit("env", "bootstrap", "plant")
    committed(mmgit, git)
    steps = mmgit("env", "bootstrap", "plant", "-o", "json")

    assert (created.code, service.code) == (0, 0), service.err
    assert (early.code, "mmgit compile --commit" in early.err) == (4, True), early.err
    (layer,) = json.loads(steps.out)
    assert "az iot edge deployment create" in layer["command"]
    assert f"--content {RENDERED}/default/churn.json" in layer["command"]
    assert (root / RENDERED / "default/churn.json").is_file()


def test_with_images_of_the_runtime_one_deployment_holds_all(root: Path, mmgit: Mmgit, git: Git) -> None:
    mmgit("env", "create", "plant", "--target", "iot-edge", "--registry", "registry.example.com/ml")
    declared = root / "environments/plant/environment.yaml"
    declared.write_text(declared.read_text() + EDGE)
    mmgit("service", "create", "churn", "--env", "plant", "--unverified", *KEY_FILE)
    committed(mmgit, git)

    ended = mmgit("env", "bootstrap", "plant")

    lines = ended.out.splitlines()
    assert lines[0] == "1. all devices with the tag mmgit=plant"
    assert f"--content {RENDERED}/deployment.json" in lines[1]
    assert len(lines) == 2


AZ = """#!/bin/sh
# A hub that, like Azure's, has each name of a deployment once: az iot edge deployment show|create --hub-name H …
test "$1 $2 $3 $5 $7" = "iot edge deployment --hub-name --deployment-id" || exit 2
case $4 in
  show) test -e "$6/$8" || exit 3 ;;
  create) test ! -e "$6/$8" && test -f "${10}" && echo "$8" >>"$6/new" && : >"$6/$8" ;;
esac
"""


def test_what_is_printed_makes_what_is_new_or_rolled_back_and_leaves_the_rest(
    root: Path, mmgit: Mmgit, git: Git, tmp_path: Path
) -> None:
    hub, program = tmp_path / "hub", tmp_path / "bin/az"
    for folder in (hub, program.parent):
        folder.mkdir()
    program.write_text(AZ)
    program.chmod(0o755)
    variables = {"PATH": f"{program.parent}:/usr/bin:/bin", "HUB": str(hub)}

    def deployed() -> list[str]:
        """The services of new deployments."""
        commands = [each["command"] for each in json.loads(mmgit("env", "bootstrap", "plant", "-o", "json").out)]
        (hub / "new").write_text("")
        subprocess.run(["sh", "-eu"], input="\n".join(commands), text=True, check=True, env=variables)
        return [line.rpartition("-")[0] for line in (hub / "new").read_text().splitlines()]

    mmgit("env", "create", "plant", "--target", "iot-edge", "--registry", "registry.example.com/ml")
    for name in ("churn", "beta"):
        key = ("--key-file", f".mmgit/{name}.key")
        mmgit("service", "create", name, "--model", "churn", "--env", "plant", "--unverified", *key)
    committed(mmgit, git)
    first = deployed()
    (root / SERVICE).write_text((root / SERVICE).read_text() + "parameters: {port: 8080}\n")
    committed(mmgit, git)
    second, again = deployed(), deployed()
    git("revert", "--no-edit", "HEAD")

    assert first == ["mmgit-plant-beta", "mmgit-plant-churn"]
    assert (second, again) == (["mmgit-plant-churn"], [])
    assert deployed() == ["mmgit-plant-churn"]


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ((), "mmgit service create NAME --env plant"),
        (("--controller", "flux"), "mmgit env bootstrap plant"),
        (("--objects", "-"), "mmgit env bootstrap plant"),
    ],
)
def test_what_cannot_be_applied_is_said(
    root: Path, mmgit: Mmgit, git: Git, options: tuple[str, ...], hint: str
) -> None:
    assert root
    mmgit("env", "create", "plant", "--target", "iot-edge", "--registry", "registry.example.com/ml")
    committed(mmgit, git)

    ended = mmgit("env", "bootstrap", "plant", *options)

    assert (ended.code, ended.out) == (2, "")
    assert hint in ended.err


def test_a_service_that_waits_is_to_be_released(root: Path, mmgit: Mmgit) -> None:
    mmgit("env", "create", "plant", "--target", "iot-edge", "--registry", "registry.example.com/ml")
    mmgit("service", "create", "churn", "--env", "plant", "--unverified", *KEY_FILE)
    declared = root / SERVICE
    lines = [line for line in declared.read_text().splitlines(keepends=True) if not line.startswith("image: ")]
    declared.write_text("".join(lines).replace("manifest: ", "next: "))

    ended = mmgit("env", "bootstrap", "plant")

    assert (ended.code, "hint: mmgit release churn --env plant" in ended.err) == (2, True), ended.err


def test_a_deployment_that_somebody_edited_is_not_overwritten(root: Path, mmgit: Mmgit, git: Git) -> None:
    mmgit("env", "create", "plant", "--target", "iot-edge", "--registry", "registry.example.com/ml")
    mmgit("service", "create", "churn", "--env", "plant", "--unverified", *KEY_FILE)
    committed(mmgit, git)
    layer = root / RENDERED / "default/churn.json"
    layer.write_text(layer.read_text().replace('"running"', '"stopped"'))

    ended = mmgit("compile")

    assert ended.code != 0
    assert f"{RENDERED}/default/churn.json" in ended.err
    assert '"stopped"' in layer.read_text()
    assert mmgit("compile", "--overwrite", f"{RENDERED}/default/churn.json").code == 0
    assert '"running"' in layer.read_text()


def test_a_service_that_is_deleted_leaves_nothing(root: Path, mmgit: Mmgit, git: Git) -> None:
    mmgit("env", "create", "plant", "--target", "iot-edge", "--registry", "registry.example.com/ml")
    mmgit("service", "create", "churn", "--env", "plant", "--unverified", *KEY_FILE)
    committed(mmgit, git)

    assert mmgit("service", "delete", "churn", "--env", "plant").code == 0
    assert mmgit("compile").code == 0
    assert not list((root / RENDERED).rglob("*.json"))


@pytest.mark.usefixtures("root")
def test_a_plan_says_what_of_a_module_changes(mmgit: Mmgit, git: Git) -> None:
    mmgit("env", "create", "plant", "--target", "iot-edge", "--registry", "registry.example.com/ml")
    mmgit("service", "create", "churn", "--env", "plant", "--unverified", *KEY_FILE)
    committed(mmgit, git)
    mmgit("service", "update", "churn", "--env", "plant", "--memory", "2Gi")
    committed(mmgit, git)

    ended = mmgit("plan", "HEAD~1", "--format", "json")

    assert ended.code == 0, ended.err
    assert "options.HostConfig.Memory" in ended.out
    assert '"Module"' in ended.out


@pytest.mark.usefixtures("root")
def test_devices_keep_their_logs_and_start_modules_themselves(mmgit: Mmgit) -> None:
    mmgit("env", "create", "plant", "--target", "iot-edge", "--registry", "registry.example.com/ml")
    mmgit("service", "create", "churn", "--env", "plant", "--unverified", *KEY_FILE)

    logs = mmgit("service", "logs", "churn", "--env", "plant")
    up = mmgit("up", "plant")

    assert (logs.code, "iotedge logs churn" in logs.err) == (2, True)
    assert (up.code, "hint: mmgit serve SERVICE --env plant\n" in up.err) == (2, True)


@pytest.mark.parametrize(
    ("environment", "service", "url"),
    [
        ("", "", "http://churn:8080"),
        ("", "parameters: {port: 8443}", "http://localhost:8443"),
        ("", "parameters: {port: 8443, address: 192.168.7.1}", "http://192.168.7.1:8443"),
        ("", "parameters: {port: 8443, address: 'fd00::7'}", "http://[fd00::7]:8443"),
        ("", "parameters: {port: 8443, address: '::'}", "http://localhost:8443"),
        ("", "parameters: {port: 8443, address: 0.0.0.0}", "http://localhost:8443"),
        ("", "parameters: {port: '80; script-src-elem *'}", "http://churn:8080"),
        ("", "parameters: {port: 80, address: 'x; script-src-elem *'}", "http://churn:8080"),
        ("host: line-4.example.com\ndefaults: {parameters: {port: 80}}", "", "http://line-4.example.com:80"),
        ("defaults: {parameters: {port: 80}}", "parameters: {port: 81}", "http://localhost:81"),
        ("defaults: {parameters: {port: 80}}", "parameters: {port: 0}", "http://churn:8080"),
    ],
)
def test_a_module_is_called_at_its_port_of_the_device_or_by_its_name_from_inside(
    environment: str, service: str, url: str
) -> None:
    declared = f"{HEAD}kind: Environment\ntarget: iot-edge\nregistry: r.example\n{environment}\n"
    own = f"{HEAD}kind: Service\nnext: churn/1\n{service}\n"

    address = address_of(EnvironmentSpec.read(parse(declared.encode())), "churn", ServiceSpec.read(parse(own.encode())))

    assert (address.url, address.needs_key) == (f"{url}/api/v1/service/churn/score", True)
