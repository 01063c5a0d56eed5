"""A look sees every file that a compile reads or writes, however it is shared out."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit import forked, looking, looking_together
from mmgit.incremental import looked
from mmgit.looking_together import look_together, tell
from mmgit.looking_together import told as heard


def test_what_a_look_saw_survives_a_round_trip(repository: Callable[..., Path]) -> None:
    listings = looking.look(str(repository()))

    assert looking.unpacked(looking.packed(listings)) == listings
    assert looking.names_of(listings["environments/dev/services"]) == ["churn.yaml"]


def shared(
    root: Path, known: looking.Listings, when_changed: Callable[[looking.Listings], object] = lambda _: None
) -> looking.Listings | None:
    """What two processes see."""
    recalled = looking.Recalled(looking.packed(known))
    return look_together(str(root), recalled, meanwhile=lambda: None, when_changed=when_changed)


def test_what_is_recalled_is_compared_without_being_taken_apart(repository: Callable[..., Path]) -> None:
    listings = looking.look(str(repository()))
    recalled = looking.Recalled(b"before" + looking.packed(listings), begin=6)

    assert len(recalled) == len(listings)
    assert all(recalled.has(folder) and recalled.is_so(folder, listing) for folder, listing in listings.items())
    assert not any(recalled.is_so(folder, listing[:-1]) for folder, listing in listings.items())
    assert not any(recalled.is_so(folder, listing + b"0") for folder, listing in listings.items())
    assert not recalled.has("elsewhere")
    assert not recalled.is_so("elsewhere", b"")
    assert recalled.listings() == listings


def test_two_processes_see_what_one_sees(repository: Callable[..., Path]) -> None:
    root = repository({f"models/model-{number:03}/model.yaml": "" for number in range(50)})
    known = looking.look(str(root))

    assert shared(root, known) is None
    assert shared(root, {}) == known

    (root / "models/model-007/model.yaml").write_text("other")
    (root / "environments/dev/services/team").mkdir()
    changed = looking.look(str(root))

    assert shared(root, known) == changed != known

    shutil.rmtree(root / "models/model-008")

    assert shared(root, known) == looking.look(str(root)) != changed


def test_what_a_second_process_fails_to_see_the_first_looks_at(
    repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository()
    known = looking.look(str(root))
    (root / "environments/dev/services/churn.yaml").unlink()
    now = looking.look(str(root))
    begin = forked.begin
    monkeypatch.setattr(forked, "begin", lambda _: begin(lambda: b"%d" % (1 // 0)))

    assert shared(root, known) == now != known


def test_a_look_that_fails_leaves_no_pipe_and_no_child(repository: Callable[..., Path]) -> None:
    root = repository({f"models/model-{number:04}/model.yaml": "" for number in range(2000)})
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = len(list(Path("/proc/self/fd").iterdir())), children.read_text()

    def fail() -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - whatever it is
        look_together(str(root), looking.Recalled(looking.packed({})), meanwhile=fail, when_changed=lambda _: None)

    assert (len(list(Path("/proc/self/fd").iterdir())), children.read_text()) == before


def test_shares_of_a_look_fit_into_the_smallest_pipe(
    repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository({f"models/model-{number:04}/model.yaml": "" for number in range(2200)})
    known = looking.look(str(root))
    pipe = os.pipe

    def small() -> tuple[int, int]:
        monkeypatch.setattr(os, "pipe", pipe)
        ends = pipe()
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(ends[1], False)
        return ends

    monkeypatch.setattr(os, "pipe", small)

    assert shared(root, {}) == known


def test_more_folders_than_shares_are_all_seen(
    repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_together, "_MOST_SHARES", 7)
    root = repository({f"models/model-{number:03}/model.yaml": "" for number in range(50)})

    assert shared(root, {}) == looking.look(str(root))


def test_a_second_look_at_some_files_sees_what_a_whole_one_sees(repository: Callable[..., Path]) -> None:
    root = repository()
    before = looking.look(str(root))
    path = "environments/dev/services/more.yaml"
    (root / path).write_text("new\n")
    (root / "environments/dev/services/churn.yaml").unlink()

    assert looked.look_again(str(root), before, [path]) == looking.look(str(root)) != before


def test_a_folder_that_is_new_is_seen_by_a_second_look(repository: Callable[..., Path]) -> None:
    root = repository()
    before = looking.look(str(root))
    path = "environments/dev/services/team/more.yaml"
    (root / path).parent.mkdir()
    (root / path).write_text("new\n")

    assert looked.look_again(str(root), before, [path]) == looking.look(str(root))


def test_folders_of_new_folders_are_seen_by_a_second_look(repository: Callable[..., Path]) -> None:
    root = repository()
    before = looking.look(str(root))
    paths = [
        f"environments/{folder}/more.yaml" for folder in ("dev/rendered/team", "dev/controllers", "new/rendered/a/b")
    ]
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("new\n")

    assert looked.look_again(str(root), before, paths) == looking.look(str(root))


def test_files_that_no_compile_reads_are_not_looked_at(repository: Callable[..., Path]) -> None:
    root = repository({"models/churn/scoring/score.py": "", "models/churn/training/train.py": "", "notes.txt": ""})

    listings = looking.look(str(root))

    assert not any("scoring" in folder or "training" in folder for folder in listings)
    assert looking.names_of(listings[""]) == ["mmgit.yaml"]


def test_a_change_is_told_once_while_the_look_goes_on(repository: Callable[..., Path]) -> None:
    services = {f"environments/dev/services/team-{number:03}/churn.yaml": "" for number in range(40)}
    models = {f"models/model-{number:03}/model.yaml": "" for number in range(250)}
    root = repository(services | models)
    known = looking.look(str(root))
    told: list[looking.Listings] = []

    assert shared(root, known, told.append) is None
    assert told == []

    path = "environments/dev/services/team-007"
    (root / path / "churn.yaml").write_text("other")
    now = looking.look(str(root))

    assert shared(root, known, told.append) == now
    assert told in ([{path: now[path]}], [])  # nothing where the other process took the rest meanwhile

    told.clear()
    for path in models:
        (root / path).write_text("other\n")

    assert shared(root, known, told.append) == looking.look(str(root))
    assert len(told) <= 1


def test_folders_are_named_to_the_other_process_as_far_as_a_pipe_holds() -> None:
    reading, writing = os.pipe()
    for pipe in (reading, writing):
        os.set_blocking(pipe, False)

    assert heard(reading) == []

    tell(writing, ["one", "x" * 5000, "two\nlines"])  # one of them is too long to come out whole

    assert heard(reading) == ["one", "two\nlines"]

    tell(writing, ["y" * 4000] * 100)

    assert 0 < len(heard(reading)) < 100
    assert set(heard(reading)) <= {"y" * 4000}


def test_folders_that_no_look_goes_into_are_named(
    repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = (
        "plain/versions/1/v",
        "worked-on/manifests/1/m",
        "worked-on/scoring/s",
        "odd/training/t",
        "ran/__pycache__/x",
    )
    root = repository({f"models/{path}": "" for path in files})
    for name in ("plain", "worked-on", "ran"):
        (root / f"models/{name}/versions").mkdir(exist_ok=True)
    listings = looking.look(str(root))
    wanted = {"models/worked-on/scoring", "models/odd/training"}

    found = looked.unlooked(str(root), listings)
    monkeypatch.setattr(looked, "_LINKS", -1)  # a file system that does not count folders

    assert wanted <= set(found)
    assert sorted(found) == sorted(looked.unlooked(str(root), listings))
    assert not any("/versions" in folder or "/manifests" in folder or looking.UNSEEN in folder for folder in found)
