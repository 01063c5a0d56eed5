import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.edits.keys import RANDOM_BYTES, digest_of, mint
from mmgit.spec.tokens import is_token

random_bytes = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(random_bytes)
def test_a_token_has_its_four_parts_whatever_the_bytes(data: bytes) -> None:
    token, key = mint(data, "primary")

    assert re.fullmatch(r"mmgit_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", token)
    assert token.split("_")[1] == key.id
    assert is_token(token)


def test_git_keeps_the_sha256_of_the_whole_token_and_nothing_of_the_secret() -> None:
    token, key = mint(bytes(range(RANDOM_BYTES)), "secondary", "2027-02-28")

    assert key.digest == f"sha256:{hashlib.sha256(token.encode()).hexdigest()}" == digest_of(token)
    assert (key.name, key.expires) == ("secondary", "2027-02-28")
    assert token.split("_")[2] not in str(key)


def test_each_bit_of_the_secret_counts() -> None:
    tokens = {mint(bytes([number]) + bytes(RANDOM_BYTES - 1), "primary")[0] for number in range(256)}

    assert len(tokens) == 256


def test_a_known_token_stays_what_it_is() -> None:
    token, _ = mint(bytes(RANDOM_BYTES), "primary")

    assert token == f"mmgit_{'0' * 8}_{'0' * 43}_{token[-6:]}"
    assert digest_of("mmgit") == "sha256:" + hashlib.sha256(b"mmgit").hexdigest()


@given(random_bytes, st.data())
def test_one_wrong_character_is_noticed(data: bytes, drawn: st.DataObject) -> None:
    token, _ = mint(data, "primary")
    position = drawn.draw(st.integers(0, len(token) - 1))
    other = drawn.draw(st.sampled_from([c for c in "0Az_ " if c != token[position]]))

    assert not is_token(token[:position] + other + token[position + 1 :])


@pytest.mark.parametrize("text", ["", "mmgit", "mmgit_a_b_c", "Bearer mmgit_", "mmgit_" * 4])
def test_what_is_no_token_is_not_taken_for_one(text: str) -> None:
    assert not is_token(text)


def test_a_cut_off_token_is_noticed() -> None:
    token, _ = mint(bytes(RANDOM_BYTES), "primary")

    assert not is_token(token[:-1])
    assert not is_token(f"{token}\n")


def test_too_few_random_bytes_make_no_key() -> None:
    with pytest.raises(ValueError, match="40 random bytes"):
        mint(b"short", "primary")
