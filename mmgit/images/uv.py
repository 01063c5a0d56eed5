"""Runs uv, which solves and lays out Python packages: the binary of our own environment, without a user's settings."""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from mmgit.errors import BuildError
from mmgit.subprocesses import Completed, run

TIMEOUT_SECONDS = 600.0
_VARIABLES = (
    *("HOME", "XDG_CACHE_HOME", "UV_CACHE_DIR"),  # its cache
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_SYSTEM_CERTS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)

_one_at_a_time = threading.Lock()
"""Layers are laid out in threads, and `sysconfig`, which uv's own search asks, is not made for threads."""


def uv(args: Sequence[str], *, cwd: Path, input: bytes = b"") -> Completed:  # noqa: A002 - as `subprocesses.run` has it
    """Run `uv …` to its end. It never downloads a Python, reads no settings, and asks nothing."""
    argv = [_binary(), *args, "--no-config", "--no-python-downloads", "--no-progress"]
    return run(argv, cwd=cwd, env_allow=_VARIABLES, input=input, timeout_seconds=TIMEOUT_SECONDS)


def pip(args: Sequence[str], *, cwd: Path, input: bytes = b"") -> Completed:  # noqa: A002 - as `subprocesses.run` has it
    """Run `uv pip …` with the Python that runs mmgit."""
    return uv(["pip", *args, "--python", sys.executable], cwd=cwd, input=input)


def _binary() -> str:
    from uv import find_uv_bin  # noqa: PLC0415 - not needed when every layer is there

    try:
        with _one_at_a_time:
            return find_uv_bin()
    except FileNotFoundError as error:
        raise BuildError("uv, which locks and lays out dependencies, is not there", "uv pip install uv") from error
