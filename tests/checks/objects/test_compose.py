from collections.abc import Callable
from typing import Any

import pytest

from mmgit.checks.objects.compose import _ALLOWED
from mmgit.checks.objects.extraction import shipped
from mmgit.desired import DesiredService
from mmgit.spec.service import SecretKey

Check = Callable[..., list[str]]
MakeService = Callable[..., DesiredService]


@pytest.fixture
def compose(check: Check, service: MakeService) -> Callable[..., list[str]]:
    """Checks the file of a compose service after a change of its entry."""

    def run(change: Callable[[Any], object], **fields: Any) -> list[str]:
        own = service(blueprint="compose/default", **fields)
        return check(lambda objects: change(objects["None"]["services"]["churn"]), own, target="compose", name="dev")

    return run


Compose = Callable[..., list[str]]


def test_what_is_rendered_is_good(compose: Compose) -> None:
    variables = {"A": "x", "B": SecretKey(secret="s", key="k")}

    assert compose(lambda _: None, variables=variables, gpu=1) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda entry: entry.update(imag="x"),
            "M630: services.churn: Additional properties are not allowed ('imag' was unexpected)",
        ),
        (
            lambda entry: entry.update(image="churn:latest"),
            (
                "M610: container `churn`: image `churn:latest` is not <repository>@sha256:<64 hexadecimal digits>, "
                "without a tag"
            ),
        ),
        (lambda entry: entry.update(read_only=False), "M631: container `churn`: read_only must be true"),
        (lambda entry: entry.update(cap_drop=["CHOWN"]), "M631: container `churn`: cap_drop must hold ALL"),
        (
            lambda entry: entry.pop("security_opt"),
            "M631: container `churn`: security_opt must be no-new-privileges:true, and nothing else",
        ),
        (
            lambda entry: entry["security_opt"].append("seccomp:unconfined"),
            "M631: container `churn`: security_opt must be no-new-privileges:true, and nothing else",
        ),
        *(
            (
                lambda entry, user=user: entry.update(user=user),
                "M631: container `churn`: user must be a number other than 0, and so must its group",
            )
            for user in ("0:0", "root", "00", "65532:0", "toor", "")
        ),
        (
            lambda entry: entry["deploy"]["resources"]["limits"].pop("memory"),
            "M631: container `churn`: there is no limit of memory",
        ),
        (
            lambda entry: entry["deploy"]["resources"].update(
                reservations={"devices": [{"driver": "cdi", "device_ids": ["vendor.com/disk=0"], "capabilities": []}]}
            ),
            "M631: container `churn`: devices other than GPUs of driver nvidia are not allowed",
        ),
        *(
            (change, "M631: container `churn`: there is no healthcheck")
            for change in (
                lambda entry: entry.pop("healthcheck"),
                lambda entry: entry["healthcheck"].update(disable=True),
                lambda entry: entry["healthcheck"].update(test=["NONE"]),
            )
        ),
    ],
)
def test_a_file_fits_the_schema_and_a_container_has_no_rights(compose: Compose, change: Any, problem: str) -> None:
    assert compose(change) == [problem]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("privileged", True),
        ("ports", ["80:80"]),
        ("post_start", [{"command": ["id"], "user": "root", "privileged": True}]),
        ("pre_stop", [{"command": ["id"], "user": "root", "privileged": True}]),
        ("use_api_socket", True),
        ("provider", {"type": "a-program-of-the-machine"}),
        ("label_file", "/etc/passwd"),
        ("device_cgroup_rules", ["a *:* rwm"]),
        ("devices", ["/dev/sda"]),
        ("gpus", "all"),
        ("uts", "host"),
        ("pid", "host"),
        ("ipc", "host"),
        ("cgroup", "host"),
        ("cgroup_parent", "/"),
        ("userns_mode", "host"),
        ("network_mode", "host"),
        ("container_name", "another"),
        ("credential_spec", {"file": "/etc/passwd"}),
        ("extends", {"file": "/etc/compose.yaml", "service": "all"}),
        ("develop", {"watch": [{"action": "sync", "path": "/", "target": "/here"}]}),
        ("build", "."),
        ("cap_add", ["SYS_ADMIN"]),
        ("volumes_from", ["container:another"]),
        ("group_add", ["0"]),
        ("runtime", "another"),
        ("sysctls", {"net.ipv4.ip_forward": 1}),
        ("annotations", {"run.oci.handler": "another"}),
        ("configs", ["passwords"]),
        ("secrets", ["passwords"]),
        ("models", ["another"]),
        ("external_links", ["another"]),
        ("links", ["another"]),
    ],
)
def test_what_a_container_need_not_have_is_refused(compose: Compose, key: str, value: object) -> None:
    assert compose(lambda entry: entry.update({key: value})) == [f"M631: container `churn`: {key} is not allowed"]


def test_every_key_of_the_specification_that_is_not_listed_is_refused(compose: Compose) -> None:
    specified = set(shipped("compose")["definitions"]["service"]["properties"])
    beyond = specified - _ALLOWED

    assert specified > _ALLOWED
    assert {"privileged", "pid", "post_start", "use_api_socket", "volumes_from"} < beyond
    assert compose(lambda entry: entry.update({"x-own": 1})) == ["M631: container `churn`: x-own is not allowed"]


@pytest.mark.parametrize(
    ("volume", "shown"),
    [
        ("/:/machine", None),
        ("/var/run/docker.sock:/var/run/docker.sock", None),
        ("./:/here", None),
        ("../../..:/above", None),
        ("~/.ssh:/keys:ro", None),
        ("c:/:/machine", None),
        ({"type": "bind", "source": "/", "target": "/machine", "read_only": True}, "bind /"),
        ({"type": "bind", "source": "../keys/other", "target": "/k", "read_only": True}, "bind ../keys/other"),
        ({"type": "bind", "source": "../keys/churn", "target": "/k"}, "bind ../keys/churn"),
        ({"type": "bind", "source": "../keys/churn/../../..", "target": "/k", "read_only": True}, None),
        ({"type": "volume", "source": "/etc", "target": "/machine"}, "volume /etc"),
        ({"type": "npipe", "source": "docker", "target": "/pipe"}, "npipe docker"),
        ({"type": "image", "source": "another", "target": "/other"}, "image another"),
    ],
)
def test_no_file_of_the_machine_is_mounted(compose: Compose, volume: Any, shown: str | None) -> None:
    (problem,) = compose(lambda entry: entry["volumes"].append(volume))

    assert problem.startswith(f"M631: container `churn`: volume `{shown or ''}")
    assert problem.endswith("is not allowed: name a volume, or a tmpfs")


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd",
        ["/etc/passwd"],
        [{"path": "/etc/passwd"}],
        [{"path": "${MMGIT_STATE:?start with mmgit up}/secrets/other.env"}],
        [{"path": "${MMGIT_STATE:?start with mmgit up}/secrets/../churn.env"}],
    ],
)
def test_no_file_of_the_machine_is_read_into_variables(compose: Compose, file: object) -> None:
    assert compose(lambda entry: entry.update(env_file=file)) == [
        "M631: container `churn`: env_file is set by mmgit: declare variables, and secrets in them"
    ]


@pytest.mark.parametrize("section", ["configs", "secrets", "volumes", "include"])
def test_a_file_declares_nothing_beside_its_services(check: Check, service: MakeService, section: str) -> None:
    declared = ["/etc/compose.yaml"] if section == "include" else {"own": {}}

    def change(objects: Any) -> None:
        objects["None"][section] = declared

    found = check(change, service(blueprint="compose/default"), target="compose", name="dev")

    assert found == [f"M631: {section} is not allowed beside services"]


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"team": "retention"}},
        {"environment": {"LEVEL": "debug"}},
        {"logging": {"driver": "json-file", "options": {"max-size": "10m"}}},
        {"restart": "always", "stop_grace_period": "10s", "init": True},
        {"ulimits": {"nofile": 65536}, "shm_size": "1g", "pids_limit": 100, "mem_reservation": "1g"},
        {"tmpfs": ["/run:size=1g,mode=1777", "/cache"]},
        {"volumes": ["cache:/var/cache", "/var/lib/own", "cache:/ro:ro,z"]},
        {"volumes": [{"type": "volume", "source": "cache", "target": "/c"}, {"type": "tmpfs", "target": "/t"}]},
        {"extra_hosts": ["db:10.0.0.1"], "dns": ["10.0.0.2"], "depends_on": ["other"], "hostname": "churn"},
    ],
)
def test_what_services_need_is_allowed(compose: Compose, change: dict[str, Any]) -> None:
    assert compose(lambda entry: entry.update(change)) == []
