"""Runs uv, which solves and lays out Python packages: the binary of our own environment, without a user's settings."""

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from mmgit.errors import BuildError
from mmgit.frozen import replace
from mmgit.subprocesses import Completed, run

TIMEOUT_SECONDS = 600.0
_VARIABLES = (
    *("HOME", "XDG_CACHE_HOME", "UV_CACHE_DIR"),  # its cache
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_SYSTEM_CERTS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)

_one_at_a_time = threading.Lock()
"""Layers are laid out in threads, and `sysconfig`, which uv's own search asks, is not made for threads."""


def uv(
    args: Sequence[str],
    *,
    cwd: Path,
    input: bytes = b"",  # noqa: A002 - as `subprocesses.run` has it
    logins: Sequence[str] = (),
) -> Completed:
    """Run `uv …` to its end. It never downloads a Python, reads no settings, and asks nothing.

    `logins` are the variables with logins to package indexes; their values are in no message.
    """
    argv = argv_of(args)
    allowed = (*_VARIABLES, *(("NETRC", *logins) if logins else ()))
    done = run(argv, cwd=cwd, env_allow=allowed, input=input, timeout_seconds=TIMEOUT_SECONDS)
    return replace(done, stderr=_without(done.stderr, logins))


def pip(
    args: Sequence[str],
    *,
    cwd: Path,
    input: bytes = b"",  # noqa: A002 - as `subprocesses.run` has it
    logins: Sequence[str] = (),
) -> Completed:
    """Run `uv pip …` with the Python that runs mmgit."""
    return uv(["pip", *args, "--python", sys.executable], cwd=cwd, input=input, logins=logins)


def argv_of(args: Sequence[str]) -> list[str]:
    """The command `uv …`, as `uv` runs it."""
    return [_binary(), *args[:1], "--no-config", "--no-python-downloads", "--no-progress", *args[1:]]


def _without(said: bytes, logins: Sequence[str]) -> bytes:
    """What uv said, without what no message may hold."""
    for secret in filter(None, (os.environ.get(name) for name in logins)):
        said = said.replace(secret.encode(), b"***")
    return said


def _binary() -> str:
    from uv import find_uv_bin  # noqa: PLC0415 - not needed when every layer is there

    try:
        with _one_at_a_time:
            return find_uv_bin()
    except FileNotFoundError as error:
        raise BuildError("uv, which locks and lays out dependencies, is not there", "uv pip install uv") from error
