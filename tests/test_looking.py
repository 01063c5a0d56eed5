"""A look sees every file that a compile reads or writes, however it is shared out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit import looking


def test_what_a_look_saw_survives_a_round_trip(repository: Callable[..., Path]) -> None:
    listings = looking.look(str(repository()))

    assert looking.unpacked(looking.packed(listings)) == listings
    assert looking.names_of(listings["environments/dev/services"]) == ["churn.yaml"]


def test_two_processes_see_what_one_sees(repository: Callable[..., Path]) -> None:
    root = str(repository())

    both = looking.look(root, is_shared=True)

    assert both == looking.look(root)


def test_what_a_second_process_fails_to_see_the_first_looks_at(
    repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = str(repository())
    monkeypatch.setattr(looking, "packed", lambda _: 1 / 0)

    assert looking.look(root, is_shared=True) == looking.look(root)


def test_a_second_look_at_some_files_sees_what_a_whole_one_sees(repository: Callable[..., Path]) -> None:
    root = repository()
    before = looking.look(str(root))
    path = "environments/dev/services/more.yaml"
    (root / path).write_text("new\n")
    (root / "environments/dev/services/churn.yaml").unlink()

    assert looking.look_again(str(root), before, [path]) == looking.look(str(root)) != before


def test_a_folder_that_is_new_is_seen_by_a_second_look(repository: Callable[..., Path]) -> None:
    root = repository()
    before = looking.look(str(root))
    path = "environments/dev/services/team/more.yaml"
    (root / path).parent.mkdir()
    (root / path).write_text("new\n")

    assert looking.look_again(str(root), before, [path]) == looking.look(str(root))


def test_folders_of_new_folders_are_seen_by_a_second_look(repository: Callable[..., Path]) -> None:
    root = repository()
    before = looking.look(str(root))
    paths = [
        f"environments/{folder}/more.yaml" for folder in ("dev/rendered/team", "dev/controllers", "new/rendered/a/b")
    ]
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("new\n")

    assert looking.look_again(str(root), before, paths) == looking.look(str(root))


def test_files_that_no_compile_reads_are_not_looked_at(repository: Callable[..., Path]) -> None:
    root = repository({"models/churn/scoring/score.py": "", "models/churn/training/train.py": "", "notes.txt": ""})

    listings = looking.look(str(root))

    assert not any("scoring" in folder or "training" in folder for folder in listings)
    assert looking.names_of(listings[""]) == ["mmgit.yaml"]


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_change_is_told_once_while_the_look_goes_on(repository: Callable[..., Path], *, is_shared: bool) -> None:
    models = {f"models/model-{number:03}/model.yaml": "" for number in range(250)}
    root = repository(models)
    known = looking.look(str(root))
    told: list[str] = []

    def look() -> looking.Listings:
        return looking.look(str(root), is_shared=is_shared, known=known, when_changed=lambda: told.append("changed"))

    assert look() == known
    assert told == []

    for path in models:
        (root / path).write_text("other\n")

    assert look() == looking.look(str(root)) != known
    assert told == ["changed"] or (is_shared and told == [])  # where the other process saw all of it


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

    found = looking.unlooked(str(root), listings)
    monkeypatch.setattr(looking, "_LINKS", -1)  # a file system that does not count folders

    assert wanted <= set(found)
    assert sorted(found) == sorted(looking.unlooked(str(root), listings))
    assert not any("/versions" in folder or "/manifests" in folder or looking.UNSEEN in folder for folder in found)
