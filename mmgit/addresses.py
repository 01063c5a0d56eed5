"""Where services answer: an environment and a name in, the address out. Pure."""

from mmgit.frozen import dataclass
from mmgit.spec import EnvironmentSpec

LOCAL_URL = "http://127.0.0.1:8080"
"""Where `mmgit serve` answers."""


@dataclass(frozen=True)
class Address:
    """Where a service answers, whether it asks for a key, and what to do if nobody is there."""

    url: str
    needs_key: bool
    remedy: str


def address_of(environment: EnvironmentSpec | None, service: str) -> Address:
    """The address of a service in an environment; without one, of what `mmgit serve` runs."""
    path = f"/api/v1/service/{service}/score"
    if environment is None or environment.target == "process":
        return Address(f"{LOCAL_URL}{path}", needs_key=False, remedy=f"mmgit serve {service}")
    if environment.target == "compose":
        url = f"https://{environment.host or 'localhost'}:{environment.port}{path}"
        return Address(url, needs_key=True, remedy="mmgit up ENV   starts a compose environment")
    return Address(f"https://{environment.host}{path}", needs_key=True, remedy="can the host be reached from here?")
