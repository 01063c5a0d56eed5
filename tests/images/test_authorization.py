"""Challenges of registries: basic logins, tokens, identity tokens, and where credentials never go."""

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from mmgit.errors import RegistryError
from mmgit.images.authorization import Authorizer
from mmgit.images.credentials import Credentials
from mmgit.images.registry import Registry
from mmgit.images.wire import Wire
from mmgit.lock import Blob

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry, Site

ANN = Credentials("ann", "hunter2")
BASIC = "Basic " + base64.b64encode(b"ann:hunter2").decode()


def tokens(registry: "FakeRegistry", site: "Site", answer: object) -> None:
    """Let the registry ask for the token that `site` gives out."""
    registry.wants = "Bearer t1"
    registry.challenge = f'Bearer realm="{site.url}/token",service="r",scope="repository:models/digits:pull"'
    site.anywhere = json.dumps(answer).encode()


def test_a_registry_that_wants_a_basic_login_gets_it(fake_registry: "FakeRegistry") -> None:
    fake_registry.wants, fake_registry.challenge = BASIC, 'Basic realm="x"'

    Registry(fake_registry.host, "models/digits", find=lambda _: ANN).ping()

    assert fake_registry.seen_authorization == ["", BASIC]


def test_a_token_is_asked_for_once_and_used_for_all_requests(fake_registry: "FakeRegistry", site: "Site") -> None:
    tokens(fake_registry, site, {"token": "t1"})
    registry = Registry(fake_registry.host, "models/digits", find=lambda _: ANN)

    registry.ping()
    registry.ping()

    (asked,) = site.asked
    assert parse_qs(urlsplit(asked).query) == {"service": ["r"], "scope": ["repository:models/digits:pull,push"]}
    assert fake_registry.seen_authorization == ["", "Bearer t1", "Bearer t1"]


def test_what_is_mounted_is_asked_for_with_a_token_of_its_own(fake_registry: "FakeRegistry", site: "Site") -> None:
    tokens(fake_registry, site, {"token": "t1"})
    registry = Registry(fake_registry.host, "models/digits", find=lambda _: ANN)

    registry.mount(Blob("sha256:" + "0" * 64, 1), "models/churn")
    registry.ping()

    first, second = (parse_qs(urlsplit(asked).query)["scope"] for asked in site.asked)
    assert first == ["repository:models/digits:pull,push", "repository:models/churn:pull"]
    assert second == first[:1]


def test_nobody_may_ask_for_a_token_as_well(fake_registry: "FakeRegistry", site: "Site") -> None:
    tokens(fake_registry, site, {"access_token": "t1"})

    Registry(fake_registry.host, "models/digits").ping()

    assert site.authorizations == [""]


def test_a_token_that_expired_is_replaced(fake_registry: "FakeRegistry", site: "Site") -> None:
    tokens(fake_registry, site, {"token": "t1"})
    registry = Registry(fake_registry.host, "models/digits", find=lambda _: ANN)
    registry.ping()
    tokens(fake_registry, site, {"token": "t2"})
    fake_registry.wants = "Bearer t2"

    registry.ping()

    assert fake_registry.seen_authorization[-2:] == ["Bearer t1", "Bearer t2"]


def test_an_identity_token_is_exchanged_in_the_body_of_a_request(fake_registry: "FakeRegistry", site: "Site") -> None:
    tokens(fake_registry, site, {"access_token": "t1"})

    Registry(fake_registry.host, "models/digits", find=lambda _: Credentials("<token>", "identity")).ping()

    assert site.asked == ["/token"]
    assert parse_qs(site.bodies[0].decode())["refresh_token"] == ["identity"]


@pytest.mark.parametrize("answer", [{}, [], "x", {"token": ""}])
def test_an_answer_without_a_token_is_an_error(fake_registry: "FakeRegistry", site: "Site", answer: object) -> None:
    tokens(fake_registry, site, answer)

    with pytest.raises(RegistryError, match=r"/token gave no token"):
        Registry(fake_registry.host, "models/digits").ping()


def test_a_token_server_that_refuses_us_names_the_command(fake_registry: "FakeRegistry", site: "Site") -> None:
    tokens(fake_registry, site, {"token": "t1"})
    site.statuses["/token"] = [401]

    with pytest.raises(RegistryError, match="refused us: 401") as raised:
        Registry(fake_registry.host, "models/digits", find=lambda _: ANN).ping()
    assert raised.value.hint == f"docker login {fake_registry.host}"
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("challenge", ["", "Negotiate", 'Basic realm="x"', "Bearer"])
def test_a_registry_that_cannot_be_satisfied_is_an_error(fake_registry: "FakeRegistry", challenge: str) -> None:
    fake_registry.wants, fake_registry.challenge = "nothing", challenge

    with pytest.raises(RegistryError):
        Registry(fake_registry.host, "models/digits").ping()


def test_a_login_that_is_not_accepted_is_tried_once(fake_registry: "FakeRegistry") -> None:
    fake_registry.wants, fake_registry.challenge = "nothing", 'Basic realm="x"'

    with pytest.raises(RegistryError, match="answered 401") as raised:
        Registry(fake_registry.host, "models/digits", find=lambda _: ANN).ping()
    assert len(fake_registry.asked) == 2
    assert "docker login" in raised.value.hint


@pytest.mark.parametrize("realm", ["http://tokens.example/t", "ftp://127.0.0.1/t", ""])
def test_credentials_never_go_to_a_token_server_in_plain(fake_registry: "FakeRegistry", realm: str) -> None:
    fake_registry.wants, fake_registry.challenge = "x", f'Bearer realm="{realm}"'

    with pytest.raises(RegistryError, match="not reached by https"):
        Registry(fake_registry.host, "models/digits", find=lambda _: ANN).ping()


def test_a_token_server_whose_address_is_none_is_an_error(fake_registry: "FakeRegistry") -> None:
    fake_registry.wants, fake_registry.challenge = "x", 'Bearer realm="https://[x/t"'

    with pytest.raises(RegistryError, match="names an address that is none"):
        Registry(fake_registry.host, "models/digits").ping()


def test_a_registry_elsewhere_cannot_make_us_call_a_server_of_this_machine(site: "Site") -> None:
    authorizer = Authorizer("registry.example", "s", find=lambda _: ANN, wire=Wire())

    with pytest.raises(RegistryError, match="not reached by https"):
        authorizer.renew(f'Bearer realm="{site.url}/token"', {})
    assert site.asked == []


def test_a_thread_that_comes_late_uses_the_token_that_another_got(site: "Site") -> None:
    site.anywhere = b'{"token": "t1"}'
    authorizer = Authorizer("127.0.0.1:1", "s", find=lambda _: ANN, wire=Wire())
    challenge = f'Bearer realm="{site.url}/token"'

    authorizer.renew(challenge, {})
    authorizer.renew(challenge, {})

    assert len(site.asked) == 1
