"""Certificates for compose, outside git: where the environment names none, a self-signed one is made here."""

from pathlib import Path

from mmgit.errors import EngineError
from mmgit.repository import layout
from mmgit.spec import EnvironmentSpec
from mmgit.subprocesses import run

CERTIFICATE, KEY = "tls.pem", "tls.pem.key"
"""The names under which HAProxy finds the two."""

_DAYS = "825"


def folder_of(root: Path, environment: str) -> Path:
    """Where the state of a compose environment lies on this machine."""
    return root / layout.STATE / "compose" / environment


def prepare(root: Path, environment: str, spec: EnvironmentSpec) -> Path:
    """The state folder, with a certificate in it if the environment names none.

    Raises:
        EngineError: there is no openssl to make one.
    """
    folder = folder_of(root, environment)
    folder.mkdir(parents=True, exist_ok=True)
    if spec.tls is None and not (folder / CERTIFICATE).exists():
        host = spec.host or "localhost"
        names = f"subjectAltName=DNS:{host},DNS:localhost,IP:127.0.0.1"
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        argv += ["-days", _DAYS, "-subj", f"/CN={host}", "-addext", names]
        argv += ["-keyout", str(folder / KEY), "-out", str(folder / CERTIFICATE)]
        run(argv, cwd=folder).output(EngineError, "install openssl, or name a certificate in environment.yaml: tls:")
        (folder / KEY).chmod(0o600)
    return folder
