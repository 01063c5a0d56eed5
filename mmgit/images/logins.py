"""Logins to package indexes, for what mmgit fetches itself: from the variables that uv reads, or netrc."""

import base64
import netrc
import os
from pathlib import Path
from urllib.parse import urlsplit

from mmgit.images.origins import Index


def login_of(index: Index, url: str) -> str:
    """The Authorization header for an address of an index, or nothing. Reads variables and netrc."""
    host = urlsplit(url).hostname or ""
    for each in index.all:
        names = Index(name=each.name).variables
        if names and urlsplit(each.url)[:2] == urlsplit(url)[:2] and (user := os.environ.get(names[0])) is not None:
            return _basic(user, os.environ.get(names[1], ""))
    try:
        found = netrc.netrc(os.environ.get("NETRC") or Path.home() / ".netrc").authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return ""
    return _basic(found[0], found[2]) if found else ""


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
