import base64
import hashlib
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mmgit.edits.keys import BITS_MIN, RANDOM_BYTES, Dates, adopt, digest_of, mint, strength_bits
from mmgit.errors import UsageError
from mmgit.spec.tokens import is_token

DATES = Dates("2026-11-30")

random_bytes = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(random_bytes)
def test_a_token_has_its_four_parts_whatever_the_bytes(data: bytes) -> None:
    token, key = mint(data, "primary", DATES)

    assert re.fullmatch(r"mmgit_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", token)
    assert token.split("_")[1] == key.id
    assert is_token(token)


def test_git_keeps_the_sha256_of_the_whole_token_and_nothing_of_the_secret() -> None:
    token, key = mint(bytes(range(RANDOM_BYTES)), "secondary", Dates("2026-11-30", "2027-02-28"))

    assert key.digest == f"sha256:{hashlib.sha256(token.encode()).hexdigest()}" == digest_of(token)
    assert (key.name, key.expires) == ("secondary", "2027-02-28")
    assert token.split("_")[2] not in str(key)


def test_each_bit_of_the_secret_counts() -> None:
    tokens = {mint(bytes([number]) + bytes(RANDOM_BYTES - 1), "primary", DATES)[0] for number in range(256)}

    assert len(tokens) == 256


def test_a_known_token_stays_what_it_is() -> None:
    token, _ = mint(bytes(RANDOM_BYTES), "primary", DATES)

    assert token == f"mmgit_{'0' * 8}_{'0' * 43}_{token[-6:]}"
    assert digest_of("mmgit") == "sha256:" + hashlib.sha256(b"mmgit").hexdigest()


@given(random_bytes, st.data())
def test_one_wrong_character_is_noticed(data: bytes, drawn: st.DataObject) -> None:
    token, _ = mint(data, "primary", DATES)
    position = drawn.draw(st.integers(0, len(token) - 1))
    other = drawn.draw(st.sampled_from([c for c in "0Az_ " if c != token[position]]))

    assert not is_token(token[:position] + other + token[position + 1 :])


@pytest.mark.parametrize("text", ["", "mmgit", "mmgit_a_b_c", "Bearer mmgit_", "mmgit_" * 4])
def test_what_is_no_token_is_not_taken_for_one(text: str) -> None:
    assert not is_token(text)


def test_a_cut_off_token_is_noticed() -> None:
    token, _ = mint(bytes(RANDOM_BYTES), "primary", DATES)

    assert not is_token(token[:-1])
    assert not is_token(f"{token}\n")


def test_too_few_random_bytes_make_no_key() -> None:
    with pytest.raises(ValueError, match="40 random bytes"):
        mint(b"short", "primary", DATES)


@given(st.binary(min_size=16, max_size=64))
@example(bytes.fromhex("3f9c1d7e5b2a48069e1f7c3d5a8b6402"))
def test_a_text_has_no_more_bits_than_its_characters(data: bytes) -> None:
    assert strength_bits(data.hex()) <= len(data) * 8
    assert strength_bits(base64.b64encode(data).decode()) <= (len(data) + 2) // 3 * 4 * math.log2(66)


@pytest.mark.parametrize(
    "token",
    [
        "3f9c1d7e5b2a48069e1f7c3d5a8b6402",
        "dGhlIGtleSBvZiBhIHNlcnZpY2UgaXMgbG9uZyE=",
        "kR4-9_vTz0bQ1xWm7YpLd2",
        mint(bytes(RANDOM_BYTES), "primary", DATES)[0],
    ],
)
def test_a_key_of_ones_own_becomes_its_digest(token: str) -> None:
    key = adopt(token, bytes(RANDOM_BYTES), "secondary", DATES)

    assert (key.digest, key.created, key.name) == (digest_of(token), DATES.created, "secondary")


@pytest.mark.parametrize(
    "token",
    [
        *("", "hunter2", "a" * 200, "0123456789" * 20, "password123" * 10, "correct-horse-battery-staple-7"),
        *("CORRECTHORSEBATTERYSTAPLE", "Summer2026!Summer2026!Summer2026!", "3f9c1d7e5b2a48069e1f7c3d5a8b64"),
    ],
)
def test_a_key_that_may_be_guessed_is_refused_and_not_shown(token: str) -> None:
    assert strength_bits(token) < BITS_MIN

    with pytest.raises(UsageError) as refused:
        adopt(token, bytes(RANDOM_BYTES), "primary", DATES)

    assert not token or token not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("token", ["with space 3f9c1d7e5b2a48069e1f7c3d5a8b6402", "3f9c1d7e5b2aü" * 5, "9aZ" * 100])
def test_a_key_that_no_header_holds_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="at most 256 characters"):
        adopt(token, bytes(RANDOM_BYTES), "primary", DATES)
