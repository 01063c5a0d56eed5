from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mmgit.edits.dependencies import Wishes
from mmgit.edits.freeze import Freezing, Frozen, freeze, versions_to_freeze, with_other_models
from mmgit.edits.keys import RANDOM_BYTES, Dates, mint
from mmgit.errors import UsageError
from mmgit.images.dependencies import Asked, Locked

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

    wheels: Mapping[str, bytes] = field(default_factory=dict)
    conda: bytes | None = None
    specs: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Locked:
        self.asked.append((asked.requirements, asked.python))
        made = f"# {len(self.asked)}: {asked.requirements} for {asked.python}\n".encode()
        self.specs += [asked.conda.specs] if asked.conda else []
        return Locked(asked.given or made, self.wheels, self.conda)


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


def test_steps_are_frozen_and_are_no_file_of_the_image(edited: Callable[..., Edited]) -> None:
    repository, solver = edited(), Solver()

    result = frozen(repository, {"score.py": SCORE, "steps.Dockerfile": b"RUN true\n"}, solver)

    assert result.change.files[f"{FOLDER}/steps.Dockerfile"] == b"RUN true\n"
    assert b"scoring: score.py\nsteps: steps.Dockerfile\n" in (result.change.files[f"{FOLDER}/manifest.yaml"] or b"")
    repository.apply(result.change)
    assert repository.problems == ()


def test_steps_that_are_not_taken_are_not_frozen(edited: Callable[..., Edited]) -> None:
    place = "models/churn/scoring/steps.Dockerfile"
    steps = b"RUN true\n  USER root\nFROM x\nCOPY a b\nENV A 1\nWORKDIR /\n"

    with pytest.raises(UsageError) as raised:
        frozen(edited(), {"score.py": SCORE, "steps.Dockerfile": steps}, Solver())

    assert raised.value.message.splitlines() == [
        f"{place}:2:3: `USER` is none of RUN, ENV, ARG, LABEL, EXPOSE",
        f"{place}:3:1: `FROM` is none of RUN, ENV, ARG, LABEL, EXPOSE",
        f"{place}:4:1: `COPY` is none of RUN, ENV, ARG, LABEL, EXPOSE",
        f"{place}:5:5: ENV takes NAME=VALUE",
        f"{place}:6:1: `WORKDIR` is none of RUN, ENV, ARG, LABEL, EXPOSE",
    ]
    assert raised.value.hint.split("; ") == [
        "USER, CMD, ENTRYPOINT and WORKDIR are mmgit's own: leave them out",
        "instead of FROM: mmgit base update --image IMAGE",
        "instead of COPY and ADD: --file FILE, or put it beside score.py",
        "ENV MODE=fast",
    ]


def test_of_many_mistakes_in_steps_the_first_are_told(edited: Callable[..., Edited]) -> None:
    with pytest.raises(UsageError) as raised:
        frozen(edited(), {"score.py": SCORE, "steps.Dockerfile": b"VOLUME x\n" * 25}, Solver())

    assert raised.value.message.splitlines()[19:] == [
        "models/churn/scoring/steps.Dockerfile:20:1: `VOLUME` is none of RUN, ENV, ARG, LABEL, EXPOSE",
        "and 5 more",
    ]
    assert raised.value.hint == "steps are RUN, ENV, ARG, LABEL, EXPOSE and nothing else"


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
        ({"score.py": SCORE, "pylock.toml/x": b""}, r"scoring/pylock\.toml/x cannot be frozen"),
        ({"score.py": SCORE, "requirements.txt": b"", "pylock.toml": b""}, r"requirements\.txt and pylock\.toml"),
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


def test_packages_of_condas_own_are_locked_in_a_file_of_their_own(edited: Callable[..., Edited]) -> None:
    repository, solver = edited(), Solver(conda=b'{"version": 6}\n')
    conda = b"channels: [conda-forge]\ndependencies: [python=3.11, lightgbm, {pip: [numpy]}]\n"
    scoring = {"score.py": SCORE, "conda.yaml": conda}

    first = frozen(repository, scoring, solver)
    repository.apply(first.change)
    second = frozen(repository, {**scoring, "score.py": SCORE + b"#"}, solver)

    assert solver.asked == [("numpy\n", "3.11")]
    assert solver.specs == [("lightgbm",)]
    assert first.change.files[f"{FOLDER}/conda.lock"] == b'{"version": 6}\n'
    assert second.change.files["models/churn/manifests/3/conda.lock"] == b'{"version": 6}\n'
    assert b"\ndependencies: conda.yaml\nconda: conda.lock\n" in manifest_of(first)
    assert repository.problems == ()
    with pytest.raises(UsageError, match=r"conda\.lock lies where the lock goes"):
        frozen(repository, {**scoring, "conda.lock": b""}, solver)


PROJECT = b"""[project]
name = "churn"
requires-python = ">=3.11"
dependencies = ["numpy"]
[project.optional-dependencies]
boost = ["xgboost"]
"""


def manifest_of(result: Frozen) -> bytes:
    return result.change.files[f"models/{result.reference.replace('/', '/manifests/')}/manifest.yaml"] or b""


def test_a_project_is_locked_with_the_extras_that_are_wanted_until_others_are(edited: Callable[..., Edited]) -> None:
    repository, solver = edited(), Solver()
    scoring = {"score.py": SCORE, "pyproject.toml": PROJECT}

    first = frozen(repository, scoring, solver, wishes=Wishes(extras=("boost",)))
    repository.apply(first.change)
    second = frozen(repository, {**scoring, "score.py": SCORE + b"#"}, solver)

    assert solver.asked == [("numpy\nxgboost\n", "3.11")]
    assert b"dependencies: pyproject.toml\nextras: [boost]\n" in manifest_of(first)
    assert b"extras: [boost]" in manifest_of(second)
    assert b"files" not in manifest_of(first)
    assert repository.problems == ()


def test_a_project_for_another_python_is_refused(edited: Callable[..., Edited]) -> None:
    project = PROJECT.replace(b">=3.11", b">=3.12")

    with pytest.raises(UsageError, match=r"asks for Python >=3\.12, and base `default` has Python 3\.11"):
        frozen(edited(), {"score.py": SCORE, "pyproject.toml": project}, Solver())


@pytest.mark.parametrize("beside", [{"requirements.txt": b"pandas\n"}, {}])
def test_settings_of_tools_and_a_project_beside_requirements_are_files_as_others(
    edited: Callable[..., Edited], beside: dict[str, bytes]
) -> None:
    project = PROJECT if beside else b"[tool.ruff]\n"
    solver = Solver()

    result = frozen(edited(), {"score.py": SCORE, "pyproject.toml": project, **beside}, solver)

    assert b"files: [pyproject.toml]" in manifest_of(result)
    assert solver.asked == [("pandas\n", "3.11")] * len(beside)


def test_a_lock_that_is_there_is_frozen_as_it_is(edited: Callable[..., Edited]) -> None:
    repository, lock = edited(), b"# made elsewhere\n"

    result = frozen(repository, {"score.py": SCORE, "pylock.toml": lock}, Solver())
    repository.apply(result.change)

    assert result.change.files[f"{FOLDER}/pylock.toml"] == lock
    assert b"dependencies: pylock.toml\n" in manifest_of(result)
    assert repository.problems == ()


def test_extras_of_what_has_none_are_refused(edited: Callable[..., Edited]) -> None:
    with pytest.raises(UsageError, match="no dependency file for --extra"):
        frozen(edited(), {"score.py": SCORE}, Solver(), wishes=Wishes(extras=("boost",)))


def test_wheels_of_no_index_are_frozen_beside_the_lock(edited: Callable[..., Edited]) -> None:
    repository, solver = edited(), Solver(wheels={"wheels/ours-1.0-py3-none-any.whl": b"wheel"})
    scoring = {"score.py": SCORE, "requirements.txt": b"ours\n"}

    first = frozen(repository, scoring, solver)
    repository.apply(first.change)
    second = frozen(repository, {**scoring, "score.py": SCORE + b"#"}, solver)

    assert first.change.files[f"{FOLDER}/wheels/ours-1.0-py3-none-any.whl"] == b"wheel"
    assert b"wheels: [wheels/ours-1.0-py3-none-any.whl]\n" in manifest_of(first)
    assert second.change.files["models/churn/manifests/3/wheels/ours-1.0-py3-none-any.whl"] == b"wheel"
    assert repository.problems == ()
    with pytest.raises(UsageError, match=r"wheels/x\.txt lies where locked wheels go"):
        frozen(repository, {**scoring, "wheels/x.txt": b""}, solver)


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
