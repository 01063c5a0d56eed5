"""What Debian's packages of Java leave to their maintainer scripts: `java` in the search path, and the keystore.

Source: the format JKS as OpenJDK's `JavaKeyStore.engineStore` writes it.
"""

import base64
import hashlib
import re
import struct
from collections.abc import Iterable, Iterator, Mapping

from mmgit.images.tar import Entry, file, link

KEYSTORE = "etc/ssl/certs/java/cacerts"
_PROGRAM = re.compile(r"usr/lib/jvm/[^/]*?([0-9]+)[^/]*/bin/java")
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----\s+(.+?)-----END CERTIFICATE-----", re.DOTALL)
_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_PASSWORD = "changeit"  # noqa: S105 - everybody's: it only tells whether the file is whole
_SALT = b"Mighty Aphrodite"


def java_entries(paths: Iterable[str], certificates: Mapping[str, bytes]) -> Iterator[Entry]:
    """The entries that a root with Java lacks, none for one without; `certificates` are PEM, by their names."""
    programs = sorted((int(found[1]), path) for path in paths if (found := _PROGRAM.fullmatch(path)))
    if programs:
        yield link("usr/bin/java", f"/{programs[-1][1]}")
        yield file(KEYSTORE, keystore(certificates))


def keystore(certificates: Mapping[str, bytes]) -> bytes:
    """Certificates that Java trusts, whatever time it is when this is written."""
    found = {name: match for name, pem in sorted(certificates.items()) if (match := _CERTIFICATE.search(pem))}
    body = struct.pack(">III", _MAGIC, _VERSION, len(found))
    for name, match in found.items():
        der = base64.b64decode(match[1])
        body += struct.pack(">I", _TRUSTED) + _text(name.lower()) + bytes(8) + _text("X.509")
        body += struct.pack(">I", len(der)) + der
    return body + hashlib.sha1(_PASSWORD.encode("utf-16-be") + _SALT + body, usedforsecurity=False).digest()


def _text(value: str) -> bytes:
    data = value.encode("ascii", "replace")
    return struct.pack(">H", len(data)) + data
