"""Keys that sign and verify, as cosign makes them: ECDSA over P-256 with SHA-256. The one door to cryptography.

The same key gives the same signature of the same bytes (RFC 6979), so signing again changes nothing. No message holds
anything of a private key or of its password.
"""

import binascii
import hashlib
import re
from base64 import b64decode
from functools import cache
from typing import TYPE_CHECKING, Any

from mmgit.errors import UsageError, with_extra
from mmgit.untrusted import json_value

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

VARIABLE = "MMGIT_SIGNING_KEY"
PASSWORD = "COSIGN_PASSWORD"  # noqa: S105 - the name of a variable
_SEALED = re.compile(
    rb"-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----(.*?)-----END ENCRYPTED \1 PRIVATE KEY-----", re.DOTALL
)
_SCRYPT_MEMORY_BYTES = 256 * 2**20
_MAKE = f"cosign generate-key-pair   makes one; {VARIABLE} holds the text of the private one"


class PublicKey:
    """Who can tell whether a signature is of the private key that belongs to it."""

    def __init__(self, key: "EllipticCurvePublicKey") -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - an extra

        self._key = key
        self.pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = hashlib.sha256(der).hexdigest()

    def accepts(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature is of these bytes and this key."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415 - the same
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - the same

        try:
            self._key.verify(signature, data, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key. It shows itself nowhere."""

    def __init__(self, key: "EllipticCurvePrivateKey") -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    def sign(self, data: bytes) -> bytes:
        """The signature of these bytes, DER, always the same."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - the same

        return self._key.sign(data, ECDSA(SHA256(), deterministic_signing=True))


def public_key(pem: str) -> PublicKey:
    """The key in a PEM text like cosign.pub.

    Raises:
        UsageError: it is none over P-256, or `mmgit[signing]` is not installed.
    """
    serialization, curve, unsupported = _cryptography()
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, unsupported):
        key = None
    if getattr(getattr(key, "curve", None), "name", "") != curve:
        raise UsageError("the public key is no PEM of a key over P-256", "cosign generate-key-pair   makes cosign.pub")
    return PublicKey(key)


@cache  # as opening what cosign encrypted takes a fifth of a second, by intent
def private_key(pem: str, password: str | None) -> Signer:
    """The key in a PEM text: PKCS #8, SEC 1, or as cosign encrypts it.

    Raises:
        UsageError: it is none over P-256, the password is another one, or `mmgit[signing]` is not installed.
    """
    serialization, curve, unsupported = _cryptography()
    secret = password.encode() if password is not None else None
    try:
        if sealed := _SEALED.search(pem.encode()):
            key = serialization.load_der_private_key(_opened(b64decode(sealed[2]), secret or b""), None)
        else:
            key = serialization.load_pem_private_key(pem.encode(), secret if "ENCRYPTED" in pem else None)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, binascii.Error, unsupported):
        # from None: what was tried may hold a part of the key
        raise UsageError(f"{VARIABLE} holds no private key that {PASSWORD} opens", _MAKE) from None
    if getattr(getattr(key, "curve", None), "name", "") != curve:
        raise UsageError(f"{VARIABLE} holds a key, but none over P-256", _MAKE)
    return Signer(key)


def _cryptography() -> tuple[Any, str, type[Exception]]:
    """What reads keys, the name of the only curve, and what it raises for what it does not know."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1  # noqa: PLC0415 - the same
    except ImportError as error:
        raise UsageError("what signs and verifies is not installed", with_extra("signing")) from error
    return serialization, SECP256R1.name, UnsupportedAlgorithm


def _opened(sealed: bytes, password: bytes) -> bytes:
    """What cosign encrypted. Source: go-securesystemslib, encrypted/encrypted.go."""
    from nacl.exceptions import CryptoError  # noqa: PLC0415 - an extra
    from nacl.secret import SecretBox  # noqa: PLC0415 - the same

    box = json_value(sealed)
    kdf, cipher, cost = box["kdf"], box["cipher"], box["kdf"]["params"]
    if (kdf["name"], cipher["name"]) != ("scrypt", "nacl/secretbox"):
        raise ValueError("encrypted in another way")
    key = hashlib.scrypt(
        password,
        salt=b64decode(kdf["salt"]),
        n=cost["N"],
        r=cost["r"],
        p=cost["p"],
        maxmem=_SCRYPT_MEMORY_BYTES,
        dklen=SecretBox.KEY_SIZE,
    )
    try:
        opened: bytes = SecretBox(key).decrypt(b64decode(box["ciphertext"]), b64decode(cipher["nonce"]))
    except CryptoError:
        raise ValueError("another password") from None
    return opened
