"""Authorization at a registry: its challenge and our credentials come in, a header goes out. Tokens are kept.

Source: distribution, "Token Authentication Specification" and "OAuth2 Token Authentication".
"""

import re
import threading
from collections.abc import Mapping
from urllib.parse import urlencode

from mmgit.errors import RegistryError
from mmgit.images.credentials import Credentials, Find
from mmgit.images.wire import RefusedError, Wire, body, is_loopback, named, shown
from mmgit.untrusted import json_value

_TOKEN_LIMIT_BYTES = 2**20
_PARAMETERS = r'(\w+)="([^"]*)"'


class Authorizer:
    """The Authorization header for one repository of one registry, shared by all threads.

    `scope` is what a token is asked for; with spaces between them, where it is several.
    """

    def __init__(self, host: str, scope: str, *, find: Find, wire: Wire) -> None:
        self._host = host
        self._scope = scope
        self._find = find
        self._wire = wire
        self._lock = threading.Lock()
        self._value = ""

    @property
    def headers(self) -> dict[str, str]:
        """What to send along; nothing until the registry asked for it."""
        return {"Authorization": self._value} if self._value else {}

    def renew(self, challenge: str, refused: Mapping[str, str]) -> None:
        """Answer the challenge that came to a request with `refused` headers, unless another thread just did.

        Raises:
            RegistryError: the registry or its token server does not accept us.
        """
        with self._lock:
            if self.headers == refused:
                self._value = self._answer(challenge)

    def _answer(self, challenge: str) -> str:
        scheme, _, rest = challenge.partition(" ")
        credentials = self._find(self._host)
        if scheme.lower() == "basic" and credentials is not None:
            return credentials.basic
        if scheme.lower() == "bearer":
            return f"Bearer {self._token(dict(re.findall(_PARAMETERS, rest)), credentials)}"
        raise RefusedError(f"registry {self._host} wants a login", f"docker login {self._host}")

    def _token(self, challenge: Mapping[str, str], credentials: Credentials | None) -> str:
        realm = challenge.get("realm", "")
        parts = named(f"registry {self._host}", realm)
        is_local = parts.scheme == "http" and is_loopback(parts.netloc) and is_loopback(self._host)
        if parts.scheme != "https" and not is_local:
            raise RegistryError(f"registry {self._host} names a token server that is not reached by https")
        service = {"service": challenge["service"]} if "service" in challenge else {}
        if credentials is not None and credentials.is_identity_token:
            form = {"grant_type": "refresh_token", "client_id": "mmgit", "refresh_token": credentials.secret}
            form |= {"scope": self._scope, **service}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            response = self._wire.send("POST", realm, headers, urlencode(form).encode())
        else:
            headers = {"Authorization": credentials.basic} if credentials else {}
            query = urlencode({"scope": self._scope.split(" "), **service}, doseq=True)
            response = self._wire.send("GET", f"{realm}{'&' if '?' in realm else '?'}{query}", headers)
        if response.status != 200:  # noqa: PLR2004 - OK
            raise RefusedError(f"{shown(realm)} refused us: {response.status}", f"docker login {self._host}")
        try:
            answer = json_value(body(response, _TOKEN_LIMIT_BYTES))
            return str(answer.get("token") or answer["access_token"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RegistryError(f"{shown(realm)} gave no token") from error
