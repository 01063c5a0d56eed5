"""Certificates for compose, outside git: the files that the environment names, or a self-signed one made here."""

import os
from pathlib import Path

from mmgit.errors import EngineError
from mmgit.repository import layout
from mmgit.spec import EnvironmentSpec
from mmgit.subprocesses import run

_DAYS = "825"


def folder_of(root: Path, environment: str) -> Path:
    """Where the state of a compose environment lies on this machine."""
    return root / layout.STATE / "compose" / environment


def prepare(root: Path, environment: str, spec: EnvironmentSpec) -> Path:
    """The state folder with `tls/site.pem` in it: certificate and key, as HAProxy reads them.

    Raises:
        EngineError: a named file cannot be read, or there is no openssl to make one.
    """
    folder = folder_of(root, environment)
    pem = folder / "tls" / "site.pem"
    pem.parent.mkdir(parents=True, exist_ok=True)
    if spec.tls:
        try:
            _write(pem, Path(spec.tls.certificate).read_bytes() + Path(spec.tls.key).read_bytes())
        except OSError as error:
            raise EngineError(f"{error.filename}: {error.strerror}", "look at tls: in environment.yaml") from error
    elif not pem.exists():
        _write(pem, _self_signed(pem.parent, spec.host or "localhost"))
    return folder


def _self_signed(folder: Path, host: str) -> bytes:
    names = f"subjectAltName=DNS:{host},DNS:localhost,IP:127.0.0.1"
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    argv += ["-days", _DAYS, "-subj", f"/CN={host}", "-addext", names, "-keyout", str(key), "-out", str(certificate)]
    run(argv, cwd=folder).output(EngineError, "install openssl, or name a certificate in environment.yaml: tls:")
    try:
        return certificate.read_bytes() + key.read_bytes()
    finally:
        key.unlink()


def _write(pem: Path, data: bytes) -> None:
    """Put the file in place whole. The proxy's user reads it, nobody else on this machine."""
    temporary = pem.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(pem)
