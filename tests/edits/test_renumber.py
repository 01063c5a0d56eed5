from collections.abc import Callable
from typing import Any

import pytest

from mmgit.edits.change import Change
from mmgit.edits.renumber import renumber

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""

HEADER = "apiVersion: mmgit.dev/v1\n"
SERVICE = "environments/dev/services/churn.yaml"


def version(number: int) -> dict[str, str]:
    folder = f"models/churn/versions/{number}"
    row = f'{{path: model.bin, sha256: "{number:064d}", size: 7}}'
    return {
        f"{folder}/version.yaml": f"{HEADER}kind: ModelVersion\nfiles: [{row}]\n",
        f"{folder}/model.bin": f"model {number}",
    }


def manifest(number: int, *models: str) -> dict[str, str]:
    folder = f"models/churn/manifests/{number}"
    text = f'{HEADER}kind: Manifest  # as tested\npython: "3.11"\nmodels: [{", ".join(models)}]\n'
    return {f"{folder}/manifest.yaml": text, f"{folder}/score.py": f"# {number}"}


@pytest.fixture
def branch(edited: Callable[..., Edited]) -> Edited:
    """Versions and manifests 1 are merged; 2 and 3 are this branch's own."""
    files = {**version(2), **version(3), **manifest(2, "churn/2"), **manifest(3, "churn/3")}
    return edited({**files, SERVICE: f"{HEADER}kind: Service\nnext: churn/3  # after the test\n"})


MERGED = frozenset({*version(1), *manifest(1)})


def moved(repository: Edited, taken: frozenset[str]) -> Change:
    return renumber(repository.source, repository.root, merged=MERGED, taken=taken)


def test_numbers_that_are_free_stay(branch: Edited) -> None:
    assert moved(branch, MERGED).is_empty
    assert moved(branch, frozenset()).is_empty


def test_taken_numbers_move_behind_those_of_the_default_branch(branch: Edited) -> None:
    taken = MERGED | set(version(2)) | set(manifest(2))

    change = moved(branch, taken)
    branch.apply(change)

    assert change.summary.splitlines() == [
        "model churn/2 is now model churn/3",
        "model churn/3 is now model churn/4",
        "manifest churn/2 is now manifest churn/3",
        "manifest churn/3 is now manifest churn/4",
    ]
    model = branch.source.models["churn"]
    assert (list(model.versions), list(model.manifests)) == ([1, 3, 4], [1, 3, 4])
    assert [model.manifests[n].spec.models for n in (3, 4)] == [("churn/3",), ("churn/4",)]
    assert branch.text("models/churn/versions/4/model.bin") == "model 3"
    assert branch.text("models/churn/manifests/3/score.py") == "# 2"
    assert branch.problems == ()


def test_only_the_references_change_in_the_files_that_hold_them(branch: Edited) -> None:
    change = moved(branch, MERGED | set(version(2)) | set(manifest(2)))

    assert branch.diff(SERVICE, change) == ["-next: churn/3  # after the test", "+next: churn/4  # after the test"]
    assert b"kind: Manifest  # as tested\n" in (change.files["models/churn/manifests/4/manifest.yaml"] or b"")


def test_only_manifests_move_when_only_they_are_taken(branch: Edited) -> None:
    change = moved(branch, MERGED | set(manifest(2)))
    branch.apply(change)

    assert not [path for path in {**change.files, **change.copies} if "/versions/" in path]
    assert branch.source.models["churn"].manifests[4].spec.models == ("churn/3",)


def test_a_moved_version_is_rewritten_in_a_manifest_that_stays(branch: Edited) -> None:
    change = moved(branch, MERGED | set(version(5)))

    assert branch.diff("models/churn/manifests/2/manifest.yaml", change) == ["-models: [churn/2]", "+models: [churn/6]"]


def test_gaps_are_closed(edited: Callable[..., Edited]) -> None:
    repository = edited({**version(5), **version(9), **manifest(7, "churn/9")})
    repository.apply(moved(repository, MERGED))

    assert list(repository.source.models["churn"].versions) == [1, 2, 3]
    assert repository.source.models["churn"].manifests[2].spec.models == ("churn/3",)
    assert repository.problems == ()


def test_the_images_of_a_manifest_move_with_it(branch: Edited) -> None:
    branch.root.write("models/churn/manifests/3/images/0123456789ab.yaml", b"lock")

    change = moved(branch, MERGED | set(manifest(2)))

    assert "models/churn/manifests/4/images/0123456789ab.yaml" in change.copies
    assert change.files["models/churn/manifests/2/manifest.yaml"] is None
