"""Keys in every form in which cosign and OpenSSL write them; a wrong one is refused, and shows nothing of itself."""

import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mmgit.errors import UsageError
from mmgit.images.evidence.keys import private_key, public_key
from tests.images.evidence.signers import PASSWORD, as_cosign_does, new_key, pkcs8, public_pem, sec1

KEY = new_key()
FORMS = {
    "PKCS 8": (pkcs8(KEY), None),
    "PKCS 8, encrypted": (pkcs8(KEY, PASSWORD), PASSWORD),
    "SEC 1": (sec1(KEY), None),
    "SEC 1, with a password that nobody asks for": (sec1(KEY), PASSWORD),
    "sigstore": (as_cosign_does(KEY, PASSWORD), PASSWORD),
    "cosign 1": (as_cosign_does(KEY, PASSWORD, "COSIGN"), PASSWORD),
    "sigstore, without a password": (as_cosign_does(KEY, ""), None),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_signs_what_its_public_key_accepts_and_no_other(form: str) -> None:
    signer, public, other = private_key(*FORMS[form]), public_key(public_pem(KEY)), public_key(public_pem(new_key()))

    signature = signer.sign(b"data")

    assert public.accepts(signature, b"data")
    assert not public.accepts(signature, b"other data")
    assert not public.accepts(b"no signature", b"data")
    assert not other.accepts(signature, b"data")
    assert signer.public.fingerprint == public.fingerprint


def test_the_same_bytes_have_the_same_signature() -> None:
    assert private_key(pkcs8(KEY), None).sign(b"data") == private_key(sec1(KEY), None).sign(b"data")


CANARY = "c4n4ry"
WRONG = {
    "another password": (as_cosign_does(KEY, PASSWORD), CANARY),
    "no password": (as_cosign_does(KEY, PASSWORD), None),
    "another password of PKCS 8": (pkcs8(KEY, PASSWORD), CANARY),
    "no password for PKCS 8": (pkcs8(KEY, PASSWORD), None),
    "no PEM": (CANARY, None),
    "a broken one": (pkcs8(KEY)[:80] + CANARY + pkcs8(KEY)[80:], None),
    "a broken box": (
        f"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n{CANARY}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----",
        CANARY,
    ),
    "a box of nothing": (
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nW10=\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----",
        CANARY,
    ),
    "another curve": (pkcs8(new_key(ec.SECP384R1())), None),
    "a public key": (public_pem(KEY), None),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_key_is_refused_and_shown_nowhere(case: str) -> None:
    with pytest.raises(UsageError) as caught:
        private_key(*WRONG[case])

    error: BaseException | None = caught.value
    assert "MMGIT_SIGNING_KEY" in caught.value.message
    assert "cosign generate-key-pair" in caught.value.hint
    assert error is not None
    assert error.__suppress_context__ or error.__context__ is None
    assert CANARY not in f"{caught.value.message}{caught.value.hint}"
    assert not any(line in str(caught.value) for line in pkcs8(KEY).splitlines()[1:-1])


@pytest.mark.parametrize("pem", ["", "x", pkcs8(KEY), public_pem(new_key(ec.SECP384R1()))])
def test_what_is_no_public_key_is_refused(pem: str) -> None:
    with pytest.raises(UsageError, match="no PEM of a key over P-256"):
        public_key(pem)


def test_without_the_extra_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)

    with pytest.raises(UsageError, match="is not installed") as caught:
        public_key(public_pem(KEY))

    assert "uv tool install --force '.[signing]'" in caught.value.hint


def test_no_part_of_a_key_is_in_what_it_shows_of_itself() -> None:
    signer = private_key(pkcs8(KEY), None)

    shown = repr(signer) + str(vars(signer))

    assert not any(line in shown for line in pkcs8(KEY).splitlines()[1:-1])
