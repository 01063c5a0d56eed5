"""Whether a real registry protocol on loopback has every pinned image."""

import hashlib
import socket
from collections.abc import Callable
from typing import Any

import pytest

from mmgit.deliver.cluster.images import examine_images
from mmgit.images import wire
from mmgit.images.registry import Registry

Serving = Callable[..., Any]
INDEX = b'{"schemaVersion": 2}'
THERE, ABSENT = f"sha256:{hashlib.sha256(INDEX).hexdigest()}", f"sha256:{'0' * 64}"


class Service:
    """As much of a service as is asked for."""

    def __init__(self, name: str, image: str) -> None:
        self.name = name
        self.image = image


def services(host: str, **digests: str) -> Any:
    return [Service(name, f"{host}/ml/{name}@{digest}") for name, digest in digests.items()]


def registry_of(repository: str) -> Registry:
    host, _, path = repository.partition("/")
    return Registry(host, path)


@pytest.fixture
def host(serving: Serving) -> str:
    answers = {"/v2/": (200, {}), f"/v2/ml/churn/manifests/{THERE}": (200, INDEX)}
    _, api = serving(answers)
    return str(api.url.removeprefix("http://"))


def test_images_that_are_there_are_counted(host: str) -> None:
    (found,) = examine_images("live", services(host, churn=THERE), registry_of)

    assert (found.what, found.state, found.said) == ("pinned images", "ok", "1 in the registry")


def test_an_image_that_is_not_there_comes_with_what_sends_it(host: str) -> None:
    (found,) = examine_images("live", services(host, churn=THERE, iris=ABSENT), registry_of)

    assert (found.what, found.state) == (f"image {host}/ml/iris@{ABSENT}", "wrong")
    assert found.then == "mmgit release iris --env live"


def test_a_registry_that_does_not_answer_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PAUSES_SECONDS", ())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"

        (found,) = examine_images("live", services(host, churn=THERE, iris=ABSENT), registry_of)

    assert (found.what, found.state) == (f"registry {host}", "wrong")


def test_without_pins_there_is_nothing_to_ask() -> None:
    (found,) = examine_images("live", [], registry_of)

    assert (found.state, found.said) == ("ok", "0 in the registry")
