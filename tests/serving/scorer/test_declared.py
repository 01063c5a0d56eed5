import json
from pathlib import Path
from typing import Any

import pytest

from mmgit.serving.scorer.declared import read_declared


@pytest.mark.parametrize(
    "declared",
    [
        {"x-mmgit": {"type": "pickle"}},
        {"x-mmgit": {"type": "numpy", "dtype": "complex64", "shape": []}},
        {"x-mmgit": {"type": "numpy"}},
        {"x-mmgit": {"type": "numpy", "dtype": "datetime64[fortnight]", "shape": []}},
        {"x-mmgit": {"type": "pandas", "columns": [{"name": "a", "dtype": "datetime64[fortnight]"}]}},
        {"x-mmgit": {"type": "pandas", "columns": [{"name": "a", "dtype": "complex64"}]}},
        {"anyOf": []},
        "string",
    ],
)
def test_a_schema_that_cannot_be_kept_is_an_error_at_the_start(tmp_path: Path, declared: Any) -> None:
    (tmp_path / "schema.json").write_text(json.dumps({"properties": {"x": declared}}))

    with pytest.raises(ValueError, match=r"^schema\.json cannot be used: "):
        read_declared(tmp_path / "schema.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"properties": []}'])
def test_a_file_that_is_no_schema_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "schema.json").write_text(text)

    with pytest.raises(ValueError, match=r"^schema\.json cannot be used: "):
        read_declared(tmp_path / "schema.json")


@pytest.mark.parametrize(
    "output", [{"anyOf": []}, "string", {"x-mmgit": {"type": "numpy", "dtype": "complex64", "shape": []}}]
)
def test_a_result_that_cannot_be_checked_is_an_error_at_the_start(tmp_path: Path, output: Any) -> None:
    (tmp_path / "schema.json").write_text(json.dumps({"properties": {}, "x-mmgit": {"output": output}}))

    with pytest.raises(ValueError, match=r"^schema\.json cannot be used: "):
        read_declared(tmp_path / "schema.json")
