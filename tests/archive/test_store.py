"""What a store is opened with, and what of that is said."""

import pytest

from mmgit.archive import store
from mmgit.archive.store import StoreError, store_at


@pytest.mark.parametrize("given", ['"ya29.secret"', '["ya29.secret"]', "ya29.secret"])
def test_a_key_that_is_none_is_refused_and_not_said(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("GOOGLE_CREDENTIALS", given)

    with pytest.raises(StoreError) as refused:
        store_at("gs://bucket")

    assert "secret" not in str(refused.value)


def test_what_a_store_says_is_said_without_the_queries_of_addresses() -> None:
    said = store._said(OSError("no route to 'https://a.example/b?access_token=secret&c=d' in 3 s"))  # noqa: SLF001 - each store says other things

    assert said == "OSError: no route to 'https://a.example/b?…' in 3 s"
