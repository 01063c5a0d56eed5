"""Finds the token for a forge in environment variables. It is never shown, and only goes to the server it is for."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from mmgit.errors import ForgeError
from mmgit.frozen import dataclass, field
from mmgit.spec.project import Forge as Declared

ANY_FORGE = "MMGIT_FORGE_TOKEN"
GITHUB = "https://github.com"
_BY_KIND: Mapping[str, tuple[str, ...]] = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN"),
    "gitea": ("GITEA_TOKEN", "FORGEJO_TOKEN"),
    "forgejo": ("FORGEJO_TOKEN", "GITEA_TOKEN"),
}
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Token:
    """A secret, and the variable that holds it."""

    variable: str
    secret: str = field(repr=False)


def token_for(declared: Declared, variables: Mapping[str, str]) -> Token:
    """The token for a declared forge: of `MMGIT_FORGE_TOKEN`, else of the variable that its users know.

    `GITHUB_TOKEN` and `GH_TOKEN` are of the server whose workflow this is, else of GitHub: a declaration sends them
    to no other. Raises `ForgeError`: there is none, or it is no token.
    """
    names = [ANY_FORGE]
    if declared.kind != "github":
        names += _BY_KIND[declared.kind]
    if _host(declared.url or GITHUB) == _host(variables.get("GITHUB_SERVER_URL", GITHUB)):
        names += _BY_KIND["github"]
    for name in names:
        if secret := variables.get(name, "").strip():
            if not _TOKEN.fullmatch(secret):
                raise ForgeError(f"{name} holds something that is no token", f"set {name} again")
            return Token(name, secret)
    raise ForgeError(f"there is no token for {_host(declared.url or GITHUB)}", f"set {' or '.join(names)}")


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()
