from datetime import date

import pytest

from mmgit.edits.keys import KeyName
from mmgit.review.key_ages import concerns, judge
from mmgit.spec.service import Key

TODAY = date(2026, 11, 30)
KEYS = "mmgit service keys churn --env prod"


def key(created: str | None, expires: str | None = None, name: KeyName = "primary") -> Key:
    return Key(name=name, id="abcd", digest=f"sha256:{'0' * 64}", created=created, expires=expires)


@pytest.mark.parametrize(
    ("keys", "state", "words"),
    [
        ([key("2026-09-01")], "passed", "the oldest key is 90 days old, at most 90d"),
        ([key("2026-08-31")], "failed", "the primary key is 91 days old, at most 90d"),
        ([key("2026-11-30"), key("2026-01-01", name="secondary")], "failed", f": {KEYS} --regen secondary"),
        ([key("2026-11-30"), key("2026-01-01", "2026-11-29", "secondary")], "passed", "0 days old"),
        ([key(None)], "failed", "the primary key has no date"),
        ([key("2026-12-01")], "failed", "which is yet to come"),
        ([key("2026-11-01", "2026-11-29")], "failed", "no key is in force"),
        ([], "failed", f"no key is in force: {KEYS} --regen primary"),
    ],
)
def test_every_key_in_force_must_be_young_enough(keys: list[Key], state: str, words: str) -> None:
    judged, text = judge("90d", keys, TODAY, command=KEYS)

    assert judged == state
    assert words in text


@pytest.mark.parametrize(
    ("of", "key_age", "words"),
    [
        (key("2026-01-01"), None, ""),
        (key("2026-01-01"), "90d", "333 days old"),
        (key("2026-11-01", "2026-12-02"), None, "ends in 2 days"),
        (key("2026-11-01", "2026-11-30"), None, "ends in 0 days"),
        (key("2026-11-01", "2026-12-14"), None, ""),
        (key("2026-01-01", "2026-11-29"), "90d", "ended on 2026-11-29"),
    ],
)
def test_an_owner_hears_of_keys_that_end_or_are_old(of: Key, key_age: str | None, words: str) -> None:
    said = concerns(of, key_age, TODAY)

    assert (words in said) if words else said == ""
