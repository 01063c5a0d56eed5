import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmgit.edits.freeze import Freezing, freeze
from mmgit.edits.model_files import FoundFile
from mmgit.edits.register import Registered, Registration, Surroundings, register
from mmgit.edits.runtimes import Choice
from mmgit.errors import UsageError
from mmgit.images.dependencies import Asked, Locked
from tests.signatures.model_files import onnx, value

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""

SCORE = b"def run(x):\n    return x\n"
MODEL = FoundFile("model.skops", "0123456789" * 6 + "e555", 7, source=Path("/training/model.skops"))


def locked(asked: Asked) -> Locked:
    return Locked(f"# {asked.requirements} {asked.python}".encode())


def registered(repository: Edited, model: str = "digits", **wanted: Any) -> Registered:
    surroundings = Surroundings(locked, is_in_lfs=lambda _: False)
    return register(repository.source, repository.root, Registration(model, (MODEL,), **wanted), surroundings)


def test_the_first_version_makes_the_model_its_scoring_folder_and_a_manifest(edited: Callable[..., Edited]) -> None:
    repository = edited()
    scoring = {"score.py": SCORE, "requirements.txt": b"scikit-learn==1.6.1\n", "schema.json": b"{}"}

    result = registered(
        repository,
        scoring=scoring,
        metrics={"auc": 0.91},
        tags={"stage": "trial"},
        data=("s3://acme/x.parquet",),
        commit="9c1e07d",
    )

    assert (result.reference, result.manifest and result.manifest.reference) == ("digits/1", "digits/1")
    assert result.change.summary == "model digits/1\nmanifest digits/1 (model digits/1)"
    assert result.change.copies == {"models/digits/versions/1/model.skops": Path("/training/model.skops")}
    assert result.change.files["models/digits/scoring/score.py"] == SCORE
    assert result.change.files["models/digits/versions/1/version.yaml"] == (
        b"apiVersion: mmgit.dev/v1\nkind: ModelVersion\n"
        b'framework: {name: scikit-learn, version: 1.6.1, python: "3.11"}\n'
        b'files:\n  - {path: model.skops, sha256: "' + MODEL.sha256.encode() + b'", size: 7}\n'
        b"metrics: {auc: 0.91}\ntags: {stage: trial}\n"
        b'lineage: {commit: 9c1e07d, data: [{uri: "s3://acme/x.parquet"}]}\n'
    )


def test_what_is_registered_loads_without_a_problem(edited: Callable[..., Edited], tmp_path: Path) -> None:
    repository = edited()
    (tmp_path / "model.skops").write_bytes(b"weights")
    result = registered(repository, scoring={"score.py": SCORE})

    repository.apply(replace(result.change, copies=dict.fromkeys(result.change.copies, tmp_path / "model.skops")))

    assert repository.problems == ()
    assert repository.source.version("digits/1").files == ("model.skops",)


def test_the_next_version_is_frozen_with_the_scoring_folder_as_it_is(edited: Callable[..., Edited]) -> None:
    repository = edited({"models/churn/scoring/score.py": SCORE})

    result = registered(repository, "churn")

    assert result.reference == "churn/2"
    assert result.manifest is not None
    assert (result.manifest.reference, result.manifest.models) == ("churn/2", ("churn/2",))
    assert not [path for path in result.change.files if "/scoring/" in path or path.endswith("model.yaml")]


def test_files_that_are_equal_may_be_named_again(edited: Callable[..., Edited]) -> None:
    repository = edited({"models/churn/scoring/score.py": SCORE})

    result = registered(repository, "churn", scoring={"score.py": SCORE, "words.txt": b"new"})

    assert [path for path in result.change.files if "/scoring/" in path] == ["models/churn/scoring/words.txt"]


def test_an_edited_scoring_file_is_not_overwritten(edited: Callable[..., Edited]) -> None:
    repository = edited({"models/churn/scoring/score.py": SCORE})

    with pytest.raises(UsageError, match=r"models/churn/scoring/score\.py is not what the command line names"):
        registered(repository, "churn", scoring={"score.py": b"# other"})


def test_without_a_script_there_is_a_version_and_no_manifest(edited: Callable[..., Edited]) -> None:
    result = registered(edited(), tags={"a": "b"})

    assert result.manifest is None
    assert sorted(result.change.files) == ["models/digits/model.yaml", "models/digits/versions/1/version.yaml"]


@pytest.mark.parametrize(
    "name", ["..", "a", "Digits", "digits/../../etc", "-digits", "digits\n", "x" * 33, "", "di gits"]
)
def test_a_hostile_model_name_is_refused(edited: Callable[..., Edited], name: str) -> None:
    with pytest.raises(UsageError, match="no name for a model"):
        registered(edited(), name)


@pytest.mark.parametrize("path", ["../model.bin", "/etc/passwd", "a/../../b", "~/model", "con:x", "a\\b", "name."])
def test_a_hostile_file_name_is_refused(edited: Callable[..., Edited], path: str) -> None:
    repository = edited()
    wanted = Registration("digits", (FoundFile(path, "0" * 64, 7, source=Path("/x")),))

    with pytest.raises(UsageError, match=r"version\.yaml: `files\.0\.path`"):
        register(repository.source, repository.root, wanted, Surroundings(locked, lambda _: False))


def test_a_metric_that_is_no_number_is_refused(edited: Callable[..., Edited]) -> None:
    with pytest.raises(UsageError, match=r"metrics\.auc"):
        registered(edited(), metrics={"auc": float("nan")})


ONNX = onnx([value("rows", 1, ["n", 4])], [value("label", 7, ["n"])])
RUNTIME = {"requirements.txt": b"onnxruntime\n"}


def with_runtime(repository: Edited, file: Path, **wanted: Any) -> Registered:
    files = (FoundFile(file.name, hashlib.sha256(file.read_bytes()).hexdigest(), 7, source=file),)
    surroundings = Surroundings(lambda _: Locked(b'[[packages]]\nname = "onnxruntime"\n'), is_in_lfs=lambda _: False)
    return register(repository.source, repository.root, Registration("flowers", files, **wanted), surroundings)


def test_a_model_file_is_frozen_without_a_script(edited: Callable[..., Edited], tmp_path: Path) -> None:
    repository, file = edited(), tmp_path / "model.onnx"
    file.write_bytes(ONNX)

    result = with_runtime(repository, file, scoring=RUNTIME, choice=Choice("onnx", ("label",)))

    folder = "models/flowers/manifests/1"
    assert result.change.files[f"{folder}/manifest.yaml"] == (
        b"apiVersion: mmgit.dev/v1\nkind: Manifest\nruntime: onnx\noutputs: [label]\n"
        b'python: "3.11"\nbase: default\nmodels: [flowers/1]\n'
        b"dependencies: requirements.txt\nschema: schema.json\nsample: sample.json\n"
    )
    assert result.change.files[f"{folder}/sample.json"] == b'{\n  "rows": [[0.0, 0.0, 0.0, 0.0]]\n}\n'
    assert [path for path in result.change.files if "/scoring/" in path] == ["models/flowers/scoring/requirements.txt"]


def test_the_next_version_keeps_the_runtime_and_changes_the_model_alone(
    edited: Callable[..., Edited], tmp_path: Path
) -> None:
    repository, file = edited(), tmp_path / "model.onnx"
    file.write_bytes(ONNX)
    first = with_runtime(repository, file, scoring=RUNTIME, choice=Choice("onnx", ("label",)))
    repository.apply(first.change)
    file.write_bytes(ONNX + b"\x08\x0a")

    second = with_runtime(repository, file)

    assert repository.problems == ()
    assert second.manifest is not None
    assert second.manifest.reference == "flowers/2"
    before, after = (
        {path.rpartition("/")[2]: data for path, data in change.files.items() if "/manifests/" in path}
        for change in (first.change, second.change)
    )
    assert [name for name in before if before[name] != after[name]] == ["manifest.yaml"]
    assert b"runtime: onnx\noutputs: [label]\n" in (after["manifest.yaml"] or b"")


def test_without_a_script_and_a_runtime_only_the_version_is_registered(
    edited: Callable[..., Edited], tmp_path: Path
) -> None:
    (tmp_path / "model.onnx").write_bytes(ONNX)

    assert with_runtime(edited(), tmp_path / "model.onnx").manifest is None


def test_a_runtime_without_a_script_serves_one_model(edited: Callable[..., Edited]) -> None:
    repository = edited()
    wanted = Freezing("churn", ("churn/1", "encoder/2"), choice=Choice("onnx"))

    with pytest.raises(UsageError, match="runtime onnx serves one model, not churn/1, encoder/2") as error:
        freeze(repository.source, repository.root, {}, wanted, locked)

    assert error.value.hint == "mmgit manifest create churn --model churn/1"
