from collections.abc import Callable
from pathlib import Path

import click
import pytest

from mmgit.cli import editing
from mmgit.edits.change import Change
from mmgit.errors import Busy, MmgitError, UsageError
from mmgit.repository.files import Root

Here = Callable[..., Path]


@pytest.fixture(autouse=True)
def _command() -> object:
    with click.Context(click.Command("test"), info_name="mmgit test") as context:
        yield context


def test_a_change_is_written_and_said_with_what_comes_next(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    root = here()

    with editing.editing() as session:
        session.deliver(Change({"new/file": b"1", "models/churn/scoring/score.py": None}, "done"), "mmgit check")

    assert (root / "new/file").read_bytes() == b"1"
    assert not (root / "models/churn/scoring").exists()
    assert capsys.readouterr().out == "done\nnext: mmgit check\n"


def test_copies_that_are_too_large_for_memory_are_streamed(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = here()
    (tmp_path / "model.bin").write_bytes(b"weights")

    for limit_bytes, name in ((7, "in-memory.bin"), (6, "streamed.bin")):
        monkeypatch.setattr(editing, "_IN_MEMORY_BYTES", limit_bytes)
        with editing.editing() as session:
            session.deliver(Change({}, "copied", {name: tmp_path / "model.bin"}))
        assert (root / name).read_bytes() == b"weights"


def test_two_edits_never_run_at_once(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here()
    monkeypatch.setattr("mmgit.deliver.writer.writing.__wrapped__.__kwdefaults__", {"wait_seconds": 0.0})

    with editing.editing(), pytest.raises(Busy, match="`mmgit test`"), editing.editing():
        pass


def test_a_file_that_somebody_else_changes_meanwhile_is_kept_and_named(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mmgit.deliver import journal  # noqa: PLC0415 - to stand in between its record and what follows

    root = here()
    record = journal.record

    def meanwhile(*arguments: object, **options: object) -> object:
        recorded = record(*arguments, **options)  # type: ignore[arg-type]
        (root / "mmgit.yaml").write_text("somebody else")
        return recorded

    monkeypatch.setattr(journal, "record", meanwhile)

    with editing.editing() as session, pytest.raises(MmgitError, match=r"changed mmgit\.yaml meanwhile"):
        session.deliver(Change({"mmgit.yaml": b"ours"}, "done"))
    assert (root / "mmgit.yaml").read_text() == "somebody else"


def test_pairs_are_read_in_order_and_may_hold_anything_after_the_first_sign() -> None:
    assert editing.pairs(("b=1", "a=x=y", "c="), "--tag") == {"b": "1", "a": "x=y", "c": ""}
    for bad in ("novalue", "=1"):
        with pytest.raises(UsageError, match=f"--tag {bad}"):
            editing.pairs((bad,), "--tag")


def test_services_that_run_the_model_are_named_for_an_update(here: Here) -> None:
    here({"environments/dev/services/other.yaml": "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\n"})
    source = editing.loaded(Root(Path.cwd()))

    assert editing.to_run(source, "churn/2") == [
        "mmgit service update churn --env dev --manifest churn/2",
        "mmgit service update other --env dev --manifest churn/2",
    ]
    assert editing.to_run(source, "digits/1") == ["mmgit service create digits --env dev"]
