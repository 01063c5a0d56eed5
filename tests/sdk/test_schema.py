import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.sdk import DataTypes, SampleDefinition, generate_schema
from tests.serving.conftest import PACKAGE, interpreter_of


def run(x: Any, top: int = 1) -> None:
    """What a score.py has."""


def takes_all(*x: Any) -> None:
    """No name to pass it by."""


def takes_by_position(x: Any, /) -> None:
    """A name that cannot be used."""


def test_the_reference_call_writes_schema_and_sample(tmp_path: Path) -> None:
    inputs = {"x": SampleDefinition(DataTypes.NUMPY, np.array([[1.5, 2.0]]))}

    schema = generate_schema(run, inputs=inputs, filepath=str(tmp_path / "schema.json"))

    assert json.loads((tmp_path / "schema.json").read_text()) == schema
    assert json.loads((tmp_path / "sample.json").read_text()) == {"x": [[1.5, 2.0]]}
    assert schema == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "x": {
                "type": "array",
                "items": {
                    "type": "array",
                    "items": {"type": "number", "format": "double"},
                    "minItems": 2,
                    "maxItems": 2,
                },
                "x-mmgit": {"type": "numpy", "dtype": "float64", "shape": [None, 2]},
            }
        },
        "required": ["x"],
        "additionalProperties": False,
    }


def test_the_short_form_finds_the_types_itself(tmp_path: Path) -> None:
    def run(rows: Any, image: Any, options: Any, grid: Any) -> None:
        pass

    samples = {"rows": pd.DataFrame({"a": [1]}), "image": b"a", "options": {"k": 1}, "grid": np.zeros((2, 2))}

    schema = generate_schema(run, samples, filepath=tmp_path / "schema.json")

    types = {name: declared["x-mmgit"]["type"] for name, declared in schema["properties"].items()}
    assert types == {"rows": "pandas", "image": "bytes", "options": "standard", "grid": "numpy"}


def test_arguments_with_a_default_are_not_required() -> None:
    assert generate_schema(run, {"x": 1, "top": 3})["required"] == ["x"]
    assert "top" not in generate_schema(run, {"x": 1})["properties"]


def test_a_run_without_arguments_needs_no_inputs() -> None:
    assert generate_schema(lambda: None)["properties"] == {}


def test_a_run_that_takes_any_name_takes_any_sample() -> None:
    def run(x: Any, **rest: Any) -> None:
        pass

    schema = generate_schema(run, {"x": 1, "y": 2})

    assert (list(schema["properties"]), schema["required"]) == (["x", "y"], ["x"])


@pytest.mark.parametrize(
    ("function", "inputs", "message"),
    [
        (run, None, "run() has the argument x, which inputs has no sample of"),
        (run, {"top": 1}, "run() has the argument x, which inputs has no sample of"),
        (run, {"x": 1, "y": 2}, "inputs has a sample of y, which is no argument of run()"),
        (takes_all, {"x": 1}, "run() takes x by position"),
        (takes_by_position, {"x": 1}, "run() takes x by position"),
    ],
)
def test_inputs_that_do_not_fit_the_signature_are_refused(function: Any, inputs: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared below
        generate_schema(function, inputs)

    assert str(error.value).startswith(message)


def test_one_output_describes_the_result_itself() -> None:
    schema = generate_schema(run, {"x": 1}, outputs=np.array([1, 2]))

    assert schema["x-mmgit"]["output"]["type"] == "array"
    assert schema["x-mmgit"]["output"]["examples"] == [[1, 2]]


def test_named_outputs_describe_an_object() -> None:
    outputs = {"label": "cat", "p": SampleDefinition(DataTypes.NUMPY, np.float32(0.5))}

    output = generate_schema(run, {"x": 1}, outputs=outputs)["x-mmgit"]["output"]

    assert output["type"] == "object"
    assert output["properties"]["label"]["type"] == "string"
    assert output["examples"] == [{"label": "cat", "p": 0.5}]
    assert output["required"] == ["label", "p"]


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"b": [0.1], "a": ["ä"]})
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        generate_schema(run, {"x": frame, "top": 1}, filepath=tmp_path / name / "schema.json")

    for file in ("schema.json", "sample.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert (tmp_path / "one" / "sample.json").read_text() == '{\n  "x": [{"b": 0.1, "a": "ä"}],\n  "top": 1\n}\n'


def test_files_are_replaced_whole_and_readable_by_all(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text("old")

    generate_schema(run, {"x": 1}, filepath=tmp_path / "schema.json")

    assert sorted(file.name for file in tmp_path.iterdir()) == ["sample.json", "schema.json"]
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o644}


def test_nothing_is_left_behind_when_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "sample.json").mkdir()

    with pytest.raises(OSError, match=r"sample\.json"):
        generate_schema(run, {"x": 1}, filepath=tmp_path / "schema.json")

    assert [file.name for file in tmp_path.iterdir()] == ["sample.json"]


def test_a_sample_that_is_far_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pass a smaller one"):
        generate_schema(run, {"x": "a" * 10_485_761}, filepath=tmp_path / "schema.json")


@pytest.mark.parametrize("minor", ["3.9", "3.13"])
def test_the_sdk_needs_the_standard_library_only(tmp_path: Path, minor: str) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(PACKAGE.parent)!r})
from mmgit.sdk import DataTypes, SampleDefinition, generate_schema
generate_schema(lambda x, image: x, {{"x": [1, 2.5], "image": b"a"}}, filepath={str(tmp_path / "schema.json")!r})
"""

    subprocess.run([interpreter_of(minor), "-I", "-S", "-c", code], check=True, timeout=60)

    assert json.loads((tmp_path / "sample.json").read_text()) == {"x": [1, 2.5], "image": "YQ=="}


def test_importing_the_sdk_imports_neither_numpy_nor_pandas() -> None:
    code = "import sys, mmgit.sdk; sys.exit('numpy' in sys.modules or 'pandas' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_schema_says_that_run_is_row_wise_only_where_it_is_promised(tmp_path: Path) -> None:
    rows = pd.DataFrame({"a": [1.5]})

    promised = generate_schema(lambda x: x, {"x": rows}, rows, tmp_path / "schema.json", row_wise=True)

    assert promised["x-mmgit"].keys() == {"output", "row_wise"}
    assert json.loads((tmp_path / "schema.json").read_text()) == promised
    assert "x-mmgit" not in generate_schema(lambda x: x, {"x": rows})


@pytest.mark.parametrize("sample", [[1.5], "text", b"bytes", np.float64(1.5), {"a": [1.5]}])
def test_inputs_that_are_not_rows_are_not_row_wise(sample: object) -> None:
    with pytest.raises(ValueError, match="x is neither a frame nor an array whose first size is free"):
        generate_schema(lambda x: x, {"x": sample}, row_wise=True)


def test_a_run_without_inputs_is_not_row_wise() -> None:
    with pytest.raises(ValueError, match="no sample"):
        generate_schema(lambda: None, {}, row_wise=True)
