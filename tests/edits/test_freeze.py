from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mmgit.edits.freeze import Freezing, Frozen, freeze, versions_to_freeze, with_other_models
from mmgit.edits.keys import RANDOM_BYTES, Dates, mint
from mmgit.errors import BuildError, UsageError

DATES = Dates("2026-11-30")

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""

SCORE = b"def run(x):\n    return x\n"
FOLDER = "models/churn/manifests/2"
TOKEN, KEY = mint(bytes(RANDOM_BYTES), "primary", DATES)
OTHER_MODEL = {
    "models/encoder/model.yaml": "apiVersion: mmgit.dev/v1\nkind: Model\n",
    "models/encoder/versions/2/version.yaml": (
        f'apiVersion: mmgit.dev/v1\nkind: ModelVersion\nfiles: [{{path: e.bin, sha256: "{"0" * 64}", size: 7}}]\n'
    ),
    "models/encoder/versions/2/e.bin": "encoder",
}


@dataclass
class Solver:
    """Locks by writing down what it was asked."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, requirements: str, python: str) -> bytes:
        self.asked.append((requirements, python))
        return f"# {len(self.asked)}: {requirements} for {python}\n".encode()


def frozen(repository: Edited, scoring: Mapping[str, bytes], solver: Solver, **wanted: Any) -> Frozen:
    return freeze(repository.source, repository.root, scoring, Freezing("churn", ("churn/1",), **wanted), solver)


def test_all_files_are_frozen_with_the_dependencies_locked(edited: Callable[..., Edited]) -> None:
    repository, solver = edited(), Solver()
    scoring = {
        "score.py": SCORE,
        "lib/text.py": b"",
        "requirements.txt": b"numpy\n",
        "schema.json": b"{}",
        "sample.json": b"{}",
        "golden.jsonl": b'{"request": {}}\n',
    }

    result = frozen(repository, scoring, solver)

    assert result.reference == "churn/2"
    assert result.change.summary == "manifest churn/2 (model churn/1)"
    assert result.change.files[f"{FOLDER}/pylock.toml"] == b"# 1: numpy\n for 3.11\n"
    assert {f"{FOLDER}/{name}": data for name, data in scoring.items()}.items() <= result.change.files.items()
    assert result.change.files[f"{FOLDER}/manifest.yaml"] == (
        b"apiVersion: mmgit.dev/v1\nkind: Manifest\nruntime: python\n"
        b'python: "3.11"\nbase: default\nmodels: [churn/1]\nscoring: score.py\nfiles: [lib/text.py]\n'
        b"dependencies: requirements.txt\nschema: schema.json\nsample: sample.json\ngolden: golden.jsonl\n"
    )
    repository.apply(result.change)
    assert repository.problems == ()


def test_what_the_newest_manifest_says_is_not_frozen_again(edited: Callable[..., Edited]) -> None:
    repository, solver = edited(), Solver()
    scoring = {"score.py": SCORE, "requirements.txt": b"numpy\n"}
    repository.apply(frozen(repository, scoring, solver).change)

    again = frozen(repository, scoring, solver, description="the same in other words")

    assert again.change.is_empty
    assert again.reference == "churn/2"
    assert "manifest churn/2 (model churn/1) is what the scoring folder holds" in again.change.summary


def test_an_edited_script_keeps_the_lock_of_unchanged_dependencies(edited: Callable[..., Edited]) -> None:
    repository, solver = edited(), Solver()
    repository.apply(frozen(repository, {"score.py": SCORE, "requirements.txt": b"numpy\n"}, solver).change)

    result = frozen(repository, {"score.py": SCORE + b"#", "requirements.txt": b"numpy\n"}, solver)

    assert result.reference == "churn/3"
    assert result.change.files["models/churn/manifests/3/pylock.toml"] == b"# 1: numpy\n for 3.11\n"
    assert len(solver.asked) == 1


def test_changed_dependencies_and_an_upgrade_are_locked_anew(edited: Callable[..., Edited]) -> None:
    repository, solver = edited(), Solver()
    repository.apply(frozen(repository, {"score.py": SCORE, "requirements.txt": b"numpy\n"}, solver).change)

    changed = frozen(repository, {"score.py": SCORE, "requirements.txt": b"numpy<2\n"}, solver)
    upgraded = frozen(repository, {"score.py": SCORE, "requirements.txt": b"numpy\n"}, solver, is_upgrade=True)

    assert changed.change.files["models/churn/manifests/3/pylock.toml"] == b"# 2: numpy<2\n for 3.11\n"
    assert upgraded.change.files["models/churn/manifests/3/pylock.toml"] == b"# 3: numpy\n for 3.11\n"


def test_a_conda_file_is_locked_by_its_pip_list(edited: Callable[..., Edited]) -> None:
    conda = b"name: churn\ndependencies:\n  - python=3.11\n  - pip\n  - pip: [numpy, pandas]\n"
    solver = Solver()

    frozen(edited(), {"score.py": SCORE, "conda.yaml": conda}, solver)

    assert solver.asked == [("numpy\npandas\n", "3.11")]


@pytest.mark.parametrize("conda", [b"dependencies: [python=3.12, pip]\n", b"dependencies: ['python=3.10.4']\n"])
def test_a_python_that_the_base_has_not_is_refused(edited: Callable[..., Edited], conda: bytes) -> None:
    with pytest.raises(UsageError, match=r"base `default` has Python 3\.11, not 3\.1"):
        frozen(edited(), {"score.py": SCORE, "conda.yaml": conda}, Solver())


def test_without_a_locked_base_its_python_must_be_said(edited: Callable[..., Edited]) -> None:
    repository = edited({"bases/default.lock.yaml": None})

    with pytest.raises(UsageError, match="no lock"):
        frozen(repository, {"score.py": SCORE}, Solver())
    manifest = frozen(repository, {"score.py": SCORE}, Solver(), python="3.12").change.files[f"{FOLDER}/manifest.yaml"]
    assert b'python: "3.12"' in (manifest or b"")


def test_a_model_without_dependencies_has_no_lock(edited: Callable[..., Edited]) -> None:
    solver = Solver()

    result = frozen(edited(), {"score.py": SCORE + b"#"}, solver)

    assert set(result.change.files) == {f"{FOLDER}/manifest.yaml", f"{FOLDER}/score.py"}
    assert solver.asked == []


@pytest.mark.parametrize(
    ("scoring", "reason"),
    [
        ({}, r"there is no models/churn/scoring/score\.py"),
        ({"score.py": SCORE, "requirements.txt": b"", "conda.yaml": b""}, r"requirements\.txt and conda\.yaml"),
        ({"score.py": SCORE, "requirements.txt": b"\xff"}, r"requirements\.txt is not UTF-8"),
        ({"score.py": SCORE, "conda.yaml": b"a: &x 1\n"}, r"conda\.yaml:1:4: anchors"),
        ({"score.py": SCORE, "images/logo.png": b""}, r"scoring/images/logo\.png cannot be frozen"),
        ({"score.py": SCORE, "pylock.toml": b""}, r"scoring/pylock\.toml cannot be frozen"),
        ({"score.py": SCORE, "golden.jsonl": b"{}"}, r"scoring/golden\.jsonl: line 1 is not"),
        ({"score.py": b"KEY = '%b'" % TOKEN.encode()}, rf"scoring/score\.py holds the API key with the id `{KEY.id}`$"),
        ({"score.py": SCORE, "na:me.py": b""}, r"manifest\.yaml: `files\.0` is 'na:me\.py'"),
    ],
)
def test_what_cannot_be_frozen_is_refused(
    edited: Callable[..., Edited], scoring: dict[str, bytes], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        frozen(edited(), scoring, Solver())


def test_packages_of_conda_itself_are_refused(edited: Callable[..., Edited]) -> None:
    with pytest.raises(BuildError, match="package of conda's own"):
        frozen(edited(), {"score.py": SCORE, "conda.yaml": b"dependencies: [cudatoolkit=11]\n"}, Solver())


def test_the_newest_version_is_frozen_unless_others_are_named(edited: Callable[..., Edited]) -> None:
    source = edited(OTHER_MODEL).source

    assert versions_to_freeze(source, "churn", []) == ("churn/1",)
    assert versions_to_freeze(source, "churn", ["churn/1", "encoder/2"]) == ("churn/1", "encoder/2")
    with pytest.raises(UsageError, match="no model version `encoder/3`"):
        versions_to_freeze(source, "churn", ["encoder/3"])
    with pytest.raises(UsageError, match="no model `nothing`"):
        versions_to_freeze(source, "nothing", [])


def test_a_new_version_takes_the_place_of_the_old_one_beside_other_models(edited: Callable[..., Edited]) -> None:
    both = 'apiVersion: mmgit.dev/v1\nkind: Manifest\npython: "3.11"\nmodels: [encoder/2, churn/1]\n'
    source = edited({**OTHER_MODEL, "models/churn/manifests/1/manifest.yaml": both}).source

    assert with_other_models(source, "churn/2") == ("encoder/2", "churn/2")
    assert with_other_models(source, "encoder/3") == ("encoder/3",)
