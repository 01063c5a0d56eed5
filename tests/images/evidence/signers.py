"""Keys that tests make, in the forms in which people have them."""

import hashlib
import json
import os
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from nacl.secret import SecretBox

PASSWORD = "only-in-this-test"


def new_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def public_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def pkcs8(key: ec.EllipticCurvePrivateKey, password: str = "") -> str:
    how: KeySerializationEncryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()


def sec1(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def as_cosign_does(key: ec.EllipticCurvePrivateKey, password: str, kind: str = "SIGSTORE") -> str:
    """Source: go-securesystemslib, encrypted/encrypted.go; with less work, as tests are many."""
    salt, nonce, cost = os.urandom(32), os.urandom(24), {"N": 1024, "r": 8, "p": 1}
    secret = hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=1, dklen=32)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    box = {
        "kdf": {"name": "scrypt", "params": cost, "salt": b64encode(salt).decode()},
        "cipher": {"name": "nacl/secretbox", "nonce": b64encode(nonce).decode()},
        "ciphertext": b64encode(SecretBox(secret).encrypt(der, nonce).ciphertext).decode(),
    }
    text = b64encode(json.dumps(box).encode()).decode()
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN ENCRYPTED {kind} PRIVATE KEY-----\n{lines}\n-----END ENCRYPTED {kind} PRIVATE KEY-----\n"
