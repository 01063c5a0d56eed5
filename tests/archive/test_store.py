"""What a store is opened with, and what of that is said."""

from pathlib import Path

import pytest

from mmgit.archive import store
from mmgit.archive.store import StoreError, store_at


@pytest.mark.parametrize("given", ['"ya29.secret"', '["ya29.secret"]', "ya29.secret"])
def test_a_key_that_is_none_is_refused_and_not_said(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("GOOGLE_CREDENTIALS", given)

    with pytest.raises(StoreError) as refused:
        store_at("gs://bucket")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("written", "name"), [("a%20b", "a b"), ("für", "für"), ("f%C3%BCr", "für"), ("5%25", "5%")])
def test_a_folder_is_where_its_address_says(tmp_path: Path, written: str, name: str) -> None:
    store_at(f"file://{tmp_path}/{written}").put("service=s/1.parquet", b"1")

    assert (tmp_path / name / "service=s/1.parquet").read_bytes() == b"1"


def test_what_a_store_says_is_said_without_the_queries_of_addresses() -> None:
    said = store.said(OSError("no route to 'https://a.example/b?access_token=secret&c=d' in 3 s"))

    assert said == "OSError: no route to 'https://a.example/b?…' in 3 s"
