import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from mmgit.images.java import KEYSTORE, java_entries, keystore

DER = b"\x30\x03\x02\x01\x05"
PEM = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(DER) + b"\n-----END CERTIFICATE-----\n"
SELF_SIGNED = [
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
]


def test_a_root_with_java_has_it_in_the_path_and_its_keystore() -> None:
    paths = [f"usr/lib/jvm/java-{number}-openjdk-amd64/bin/java" for number in (17, 9, 21)]

    linked, store = java_entries(paths, {"mozilla/A.crt": PEM})

    assert (linked.path, linked.target) == ("usr/bin/java", "/usr/lib/jvm/java-21-openjdk-amd64/bin/java")
    assert store.path == KEYSTORE
    assert DER in b"".join(store.blocks())


def test_a_root_without_java_gets_nothing() -> None:
    assert not list(java_entries(["usr/bin/python3", "usr/lib/jvm/java-17/lib/java"], {"A.crt": PEM}))


def test_a_keystore_is_the_same_whenever_and_in_whatever_order_it_is_made() -> None:
    assert keystore({"a": PEM, "b": PEM}) == keystore({"b": PEM, "a": PEM})
    assert keystore({"a": PEM}) != keystore({"b": PEM})


@pytest.mark.skipif(not (shutil.which("keytool") and shutil.which("openssl")), reason="needs keytool and openssl")
def test_java_reads_the_keystore(tmp_path: Path) -> None:
    for name in ("one", "other"):
        out = ["-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt"]
        subprocess.run([*SELF_SIGNED, *out], cwd=tmp_path, check=True, capture_output=True)
    certificates = {path.name: path.read_bytes() for path in tmp_path.glob("*.crt")}

    (tmp_path / "cacerts").write_bytes(keystore(certificates))

    listed = ["keytool", "-list", "-keystore", "cacerts", "-storepass", "changeit", "-v"]
    said = subprocess.run(listed, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert "contains 2 entries" in said
    assert {"Owner: CN=one", "Owner: CN=other"} <= set(said.splitlines())
