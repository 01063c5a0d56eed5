import io
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mmgit.edits.model_files import FoundFile
from mmgit.edits.runtimes import (
    Choice,
    Open,
    Unscripted,
    choose,
    described,
    files_of,
    files_to_register,
    model_file,
    require,
    require_spark,
)
from mmgit.errors import UsageError
from mmgit.spec import ManifestSpec
from mmgit.spec.project import Policies
from tests.signatures.model_files import estimator, lightgbm, onnx, skops, texts, value, xgboost

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""

SCRIPT = {"score.py": b"def run(x):\n    return x\n"}
ROWS = skops(estimator("sklearn.linear_model.LinearRegression", n_features_in_=2))
COLUMNS = skops(estimator("sklearn.linear_model.LinearRegression", feature_names_in_=texts("age")))
GRAPH = onnx([value("rows", 1, ["n", 4])], [value("label", 7, ["n"]), value("scores", 1, ["n", 3])])
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n"
PICKLE = b"\x80\x04K\x01."
REFUSE = Policies(formats={"pickle": "refuse"})


def manifest(**fields: Any) -> ManifestSpec:
    said = {"apiVersion": "mmgit.dev/v1", "kind": "Manifest", "python": "3.11", "models": ["churn/1"], **fields}
    return ManifestSpec.read(said)


def unscripted(runtime: str, files: Mapping[str, bytes], *outputs: str) -> Unscripted:
    return Unscripted(Choice(runtime, outputs), {path: partial(io.BytesIO, data) for path, data in files.items()})


SPARK = manifest(runtime="spark-py")
SKLEARN = manifest(runtime="sklearn", outputs=["predict_proba"], trusted=["a.B"])


@pytest.mark.parametrize(
    ("asked", "scoring", "last", "chosen"),
    [
        (Choice(), SCRIPT, None, Choice("python")),
        (Choice(), {}, None, Choice("python")),
        (Choice("onnx", ("label",)), {}, None, Choice("onnx", ("label",))),
        (Choice(), {}, SKLEARN, Choice("sklearn", ("predict_proba",), ("a.B",))),
        (Choice(outputs=("predict",)), {}, SKLEARN, Choice("sklearn", ("predict",), ("a.B",))),
        (Choice("sklearn"), {}, SKLEARN, Choice("sklearn")),
        (Choice(), SCRIPT, SKLEARN, Choice("python")),
        (Choice(), {}, manifest(), Choice("python")),
        (Choice("spark-py"), SCRIPT, None, Choice("spark-py")),
        (Choice(), SCRIPT, SPARK, Choice("spark-py")),
        (Choice("python"), SCRIPT, SPARK, Choice("python")),
        (Choice("sklearn"), {}, SPARK, Choice("sklearn")),
    ],
)
def test_who_answers_is_asked_for_or_the_script_or_as_before(
    asked: Choice, scoring: Mapping[str, bytes], last: ManifestSpec | None, chosen: Choice
) -> None:
    assert choose(asked, scoring, last) == chosen


@pytest.mark.parametrize(
    ("asked", "scoring", "message"),
    [
        (Choice("sklearn"), SCRIPT, r"there is a score\.py, which runtime sklearn does not run"),
        (Choice(outputs=("predict",)), SCRIPT, "a scoring script decides itself"),
        (Choice("lightgbm", ("margin",)), {}, "lightgbm has no output margin"),
    ],
)
def test_choices_that_do_not_fit_are_refused(asked: Choice, scoring: Mapping[str, bytes], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose(asked, scoring, None)


def test_schema_and_sample_are_those_of_the_model_file() -> None:
    files = described(unscripted("sklearn", {"model.skops": ROWS}), {}, REFUSE)

    assert json.loads(files["schema.json"])["properties"]["input"]["x-mmgit"]["shape"] == [None, 2]
    assert json.loads(files["sample.json"]) == {"input": [[0.0, 0.0]]}


def test_a_schema_of_the_users_goes_before() -> None:
    assert described(unscripted("sklearn", {"model.skops": b"?"}), {"schema.json": b"{}"}, REFUSE) == {}


def test_only_what_is_answered_is_described() -> None:
    def outputs(*wanted: str) -> list[str]:
        files = described(unscripted("onnx", {"model.onnx": GRAPH}, *wanted), {}, REFUSE)
        return list(json.loads(files["schema.json"])["x-mmgit"]["output"]["properties"])

    assert outputs() == ["label", "scores"]
    assert outputs("scores") == ["scores"]


@pytest.mark.parametrize(
    ("runtime", "files", "outputs", "message", "hint"),
    [
        ("sklearn", {"model.onnx": GRAPH}, (), "finds no model file", "mmgit model register NAME model.skops"),
        ("sklearn", {"model.pkl": PICKLE}, (), "model.pkl is pickle, which mmgit.yaml refuses", "like skops or ONNX"),
        ("sklearn", {"model.skops": PICKLE}, (), "model.skops is pickle, which mmgit.yaml refuses", ""),
        ("onnx", {"model.onnx": LFS}, (), "model.onnx is a pointer of Git LFS", "git lfs pull"),
        ("onnx", {"model.onnx": GRAPH}, ("other",), "model.onnx has no output other", "--model-output label"),
        ("xgboost", {"model.json": b"{}"}, (), "model.json is damaged, or no model of its kind", ""),
    ],
)
def test_a_model_that_cannot_be_served_is_not_frozen(
    runtime: str, files: Mapping[str, bytes], outputs: tuple[str, ...], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as error:
        described(unscripted(runtime, files, *outputs), {}, REFUSE)

    assert message in str(error.value)
    assert hint in error.value.hint


def test_a_pickle_is_served_where_the_project_does_not_refuse_it() -> None:
    files = described(unscripted("sklearn", {"model.pkl": PICKLE}), {}, Policies())

    assert list(files) == ["schema.json"]


def framed(**mark: str) -> bytes:
    return json.dumps({"properties": {"people": {"x-mmgit": {"type": "pandas", **mark}}}}).encode()


@pytest.mark.parametrize(
    ("runtime", "files"),
    [
        ("python", {"schema.json": framed(), "pylock.toml": b""}),
        ("spark-py", {"schema.json": framed(**{"as": "spark"}), "pylock.toml": b'[[packages]]\nname = "pyspark"\n'}),
        ("spark-py", {"pylock.toml": b"", "conda.lock": b"- conda: https://c.example/noarch/pyspark-4.3.0-0.conda\n"}),
    ],
)
def test_a_session_of_spark_needs_pyspark_in_a_lock(runtime: str, files: dict[str, bytes]) -> None:
    require_spark(Choice(runtime), files, "models/churn/scoring/requirements.txt")


@pytest.mark.parametrize(
    ("runtime", "files", "message", "hint"),
    [
        (
            "spark-py",
            {"pylock.toml": b'[[packages]]\nname = "py4j"\n'},
            "runtime spark-py needs pyspark, which s/requirements.txt does not bring",
            "printf '%s\\n' pyspark >> s/requirements.txt",
        ),
        ("spark-py", {}, "needs pyspark, and there is no dependency file", "mkdir -p s && printf"),
        (
            "python",
            {"schema.json": framed(**{"as": "spark"}), "pylock.toml": b'[[packages]]\nname = "pyspark"\n'},
            "schema.json says that people is a DataFrame of Spark, which runtime python has not",
            "--runtime spark-py",
        ),
    ],
)
def test_what_has_no_session_of_spark_is_not_frozen(
    runtime: str, files: dict[str, bytes], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as error:
        require_spark(Choice(runtime), files, "s/requirements.txt")

    assert message in str(error.value)
    assert hint in error.value.hint


def lock(*names: str) -> bytes:
    return "".join(f'[[packages]]\nname = "{name}"\n' for name in names).encode()


@pytest.mark.parametrize(
    ("runtime", "files", "packages"),
    [
        ("sklearn", {"model.skops": ROWS}, ("scikit-learn", "skops")),
        ("sklearn", {"model.pkl": PICKLE}, ("scikit-learn",)),
        ("sklearn", {"model.skops": COLUMNS}, ("scikit-learn", "skops", "pandas")),
        ("onnx", {"model.onnx": GRAPH}, ("onnxruntime-gpu",)),
        ("xgboost", {"model.json": json.dumps(xgboost()).encode()}, ("xgboost-cpu",)),
        ("lightgbm", {"model.txt": lightgbm()}, ("lightgbm",)),
    ],
)
def test_the_dependencies_must_bring_what_the_runtime_imports(
    runtime: str, files: Mapping[str, bytes], packages: tuple[str, ...]
) -> None:
    served = unscripted(runtime, files)
    schema = described(served, {}, Policies())["schema.json"]

    require(served, schema, lock(*packages), "requirements.txt")
    for missing in packages:
        with pytest.raises(UsageError, match=f"runtime {runtime} needs "):
            require(served, schema, lock(*{*packages} - {missing}), "requirements.txt")


@pytest.mark.parametrize(
    ("there", "place", "message", "hint"),
    [
        (
            None,
            "a/requirements.txt",
            "runtime sklearn needs scikit-learn and skops, and there is no dependency file",
            "mkdir -p a && printf '%s\\n' scikit-learn==1.9.1 skops > a/requirements.txt   and run this again",
        ),
        (
            lock("skops"),
            "requirements.txt",
            "runtime sklearn needs scikit-learn, which requirements.txt does not bring",
            "printf '%s\\n' scikit-learn==1.9.1 >> requirements.txt",
        ),
        (
            lock("scikit-learn"),
            "models/a/scoring/conda.yaml",
            "runtime sklearn needs skops, which models/a/scoring/conda.yaml does not bring",
            "add to it, below `pip:`: skops",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_version_that_made_the_file(
    there: bytes | None, place: str, message: str, hint: str
) -> None:
    served = unscripted("sklearn", {"model.skops": ROWS})
    schema = described(served, {}, Policies())["schema.json"]

    with pytest.raises(UsageError) as error:
        require(served, schema, there, place)

    assert (str(error.value), error.value.hint) == (message, hint)


def test_files_are_read_where_they_lie(tmp_path: Path, edited: Callable[..., Edited]) -> None:
    (tmp_path / "model.onnx").write_bytes(GRAPH)
    found = [
        FoundFile("a.onnx", "0" * 64, 1, source=tmp_path / "model.onnx"),
        FoundFile("b.onnx", "0" * 64, 1, uri=(tmp_path / "model.onnx").as_uri()),
        FoundFile("c.onnx", "0" * 64, 1, uri="https://models.example.com/c.onnx"),
    ]
    repository = edited()

    files = files_to_register(found)
    declared = files_of(repository.source, repository.root, "churn/1")

    assert whole(files["a.onnx"]) == whole(files["b.onnx"]) == GRAPH
    assert whole(declared["model.bin"]) == b"weights"
    with pytest.raises(UsageError, match=r"c\.onnx lies at https://models\.example\.com/c\.onnx, and is not read"):
        files["c.onnx"]()


def whole(opened: Open) -> bytes:
    with opened() as file:
        return file.read()


def test_a_file_at_an_address_is_served_with_a_schema_of_the_users() -> None:
    files = files_to_register([FoundFile("model.onnx", "0" * 64, 1, uri="https://models.example.com/model.onnx")])
    served = Unscripted(Choice("onnx"), files)

    assert described(served, {"schema.json": b"{}"}, REFUSE) == {}
    assert model_file(served) == "model.onnx"
