from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgit.desired import DesiredService
from mmgit.render.edge import published

Check = Callable[..., list[str]]
MakeService = Callable[..., DesiredService]
Change = Callable[[Any], object]


@pytest.fixture
def edge(check: Check, service: MakeService) -> Callable[..., list[str]]:
    """Checks the module of a service after a change of it."""

    def run(change: Change, **fields: Any) -> list[str]:
        own = service(blueprint="iot-edge/default", **fields)
        found = check(lambda objects: change(objects["Module"]), own, target="iot-edge", name="plant")
        return [each.replace("Module churn: ", "") for each in found]

    return run


Edge = Callable[..., list[str]]


def test_what_is_rendered_is_good(edge: Edge) -> None:
    fields = {"variables": {"A": "x"}, "gpu": 1, "parameters": {"port": 80}, "telemetry": {"spool_bytes": 1}}

    assert edge(lambda _: None, **fields) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"imagePullPolicy": "sometimes"}, 'M640: imagePullPolicy: "sometimes" is not one of "on-create" or "never"'),
        ({"startupOrder": -1}, "M640: startupOrder: -1 is less than the minimum of 0"),
        (
            {"ports": []},
            "M640: module: Additional properties are not allowed ('ports' was unexpected)",
        ),
        (
            {"settings": {"image": "churn:latest", "createOptions": "{}"}},
            "M610: image `churn:latest` is not <repository>@sha256:<64 hexadecimal digits>, without a tag",
        ),
        ({"env": {"A": {"value": "é" * 2049}}}, "M620: variable A is 4,098 bytes; a device takes 4,096"),
    ],
)
def test_a_module_that_is_not_good_is_refused(edge: Edge, change: dict[str, Any], problem: str) -> None:
    (found,) = edge(lambda each: each["module"].update(change))

    assert found.split(" is not one of ")[0] == problem.split(" is not one of ", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"Env": ["A=b"]}, "Env is not allowed"),
        ({"user": "1000"}, "user is not allowed"),
        ({"User": "1000:0"}, "User must be a number other than 0, and so must its group"),
        ({"Healthcheck": None}, "there is no Healthcheck"),
        ({"Healthcheck": {"Test": []}}, "there is no Healthcheck"),
    ],
)
def test_a_container_with_more_rights_is_refused(edge: Edge, change: dict[str, Any], problem: str) -> None:
    assert edge(lambda each: each["options"].update(change)) == [f"M641: {problem}"]


MOUNTS = "HostConfig.Mounts may name volumes, and tmpfs, and nothing else of the device"
PORTS = 'HostConfig.PortBindings are like {"8080/tcp": [{"HostPort": "8080"}]}'
DEVICES = "HostConfig.DeviceRequests other than of graphics processors of driver nvidia are not allowed"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        *(
            ({name: True}, f"HostConfig.{name} is not allowed")
            for name in ("Privileged", "CapAdd", "Binds", "Devices", "NetworkMode", "PidMode", "readonlyrootfs")
        ),
        ({"ReadonlyRootfs": False}, "HostConfig.ReadonlyRootfs must be true"),
        ({"CapDrop": ["CHOWN"]}, "HostConfig.CapDrop must be ALL"),
        (
            {"SecurityOpt": ["no-new-privileges:true", "seccomp=unconfined"]},
            "HostConfig.SecurityOpt must be no-new-privileges:true, and nothing else",
        ),
        *(({"Memory": none}, "there is no limit: HostConfig.Memory") for none in (0, -1, None, "1g", True)),
        *(
            ({"Mounts": [mount]}, MOUNTS)
            for mount in (
                "/:/device",
                {"Type": "bind", "Source": "/", "Target": "/device"},
                {"Type": "volume", "Source": "/etc", "Target": "/device"},
                {"Type": "volume", "Source": "a", "Target": "/a", "VolumeOptions": {"DriverConfig": {}}},
                {"Type": "tmpfs", "Source": "/etc", "Target": "/a"},
            )
        ),
        *(
            ({"PortBindings": value}, PORTS)
            for value in ([1], {"8080/tcp": "80"}, {"8080/tcp": [{"HostPort": "80-90"}]}, {"8080/tcp": [{"Port": "1"}]})
        ),
        ({"DeviceRequests": 5}, DEVICES),
        ({"DeviceRequests": [{"Driver": "cdi"}]}, DEVICES),
        ({"DeviceRequests": [{"Driver": "nvidia", "Options": {}}]}, DEVICES),
    ],
)
def test_what_a_container_shares_of_its_device_is_listed(edge: Edge, change: dict[str, Any], problem: str) -> None:
    assert edge(lambda each: each["options"]["HostConfig"].update(change)) == [f"M641: {problem}"]


KEYS = st.sampled_from(["Type", "Source", "HostPort", "8080/tcp", "Driver", "Test", "a"])
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2))
OPTIONS = st.fixed_dictionaries(dict.fromkeys(("Healthcheck", "User"), VALUES))
HOST = st.fixed_dictionaries(dict.fromkeys(("CapDrop", "DeviceRequests", "Memory", "Mounts", "PortBindings"), VALUES))


@given(options=OPTIONS, host=HOST)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_patch_makes_of_it_is_judged(edge: Edge, options: dict[str, Any], host: dict[str, Any]) -> None:
    def change(each: Any) -> None:
        each["options"].update(options)
        each["options"]["HostConfig"].update(host)
        published(each["options"])

    assert all(found.startswith("M641: ") for found in edge(change))
