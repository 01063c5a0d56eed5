"""Where services answer: an environment and a name in, the address out. Pure."""

import re

from mmgit.frozen import dataclass
from mmgit.spec import EnvironmentSpec, ServiceSpec

LOCAL_URL = "http://127.0.0.1:8080"
"""Where `mmgit serve` answers."""
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")
_ANY = ("0.0.0.0", "::")  # noqa: S104 - nothing listens here
"""All addresses of a device."""


@dataclass(frozen=True)
class Address:
    """Where a service answers, whether it asks for a key, and what to do if nobody is there."""

    url: str
    needs_key: bool
    remedy: str


def address_of(environment: EnvironmentSpec | None, service: str, spec: ServiceSpec | None = None) -> Address:
    """The address of a service in an environment; without one, of what `mmgit serve` runs.

    `spec` is the service's own, which says at which port of an edge device it answers.
    """
    path = f"/api/v1/service/{service}/score"
    if environment is None or environment.target == "process":
        return Address(f"{LOCAL_URL}{path}", needs_key=False, remedy=f"mmgit serve {service}")
    if environment.target == "compose":
        url = f"https://{environment.host or 'localhost'}:{environment.port}{path}"
        return Address(url, needs_key=True, remedy="mmgit up ENV   starts a compose environment")
    if environment.target == "iot-edge":
        parameters = {**(environment.defaults.parameters or {}), **((spec and spec.parameters) or {})}
        port, at = parameters.get("port"), str(parameters.get("address", _ANY[0]))
        if type(port) is not int or not port or not _HOST.fullmatch(at):  # refused once it is rendered
            remedy = "only modules of the same device reach it; `parameters: {port: …}` publishes it"
            return Address(f"http://{service}:8080{path}", needs_key=True, remedy=remedy)
        host = environment.host or at
        host = "localhost" if host in _ANY else f"[{host}]" if ":" in host else host
        remedy = f"iotedge logs {service}   on the device says how it is"
        return Address(f"http://{host}:{port}{path}", needs_key=True, remedy=remedy)
    return Address(f"https://{environment.host}{path}", needs_key=True, remedy="can the host be reached from here?")
