import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.edits.keys import RANDOM_BYTES, Dates, mint
from mmgit.spec.tokens import tokens_in, with_check

DATES = Dates("2026-11-30")

TOKEN, KEY = mint(bytes(range(RANDOM_BYTES)), "primary", DATES)


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_a_token_is_found_in_whatever_surrounds_it(before: bytes, after: bytes) -> None:
    assert list(tokens_in(before + TOKEN.encode() + after)) == [(KEY.id, len(before))]


def test_every_token_is_found_at_its_place() -> None:
    other, key = mint(bytes(RANDOM_BYTES), "secondary", DATES)

    assert list(tokens_in(f"a: {TOKEN}\nb: {other}\n".encode())) == [(KEY.id, 3), (key.id, 7 + len(TOKEN))]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mmgit_score_total",
        KEY.digest,
        TOKEN[:-1],
        TOKEN[:-1] + "+",
        TOKEN[:-7] + "_000000",
        TOKEN.replace("mmgit", "Mmgit"),
        with_check("mmgit_abc_" + "0" * 43),
        with_check("mmgit_abcd_" + "0" * 42),
    ],
)
def test_what_only_looks_like_a_token_is_none(text: str) -> None:
    assert list(tokens_in(text.encode())) == []
