import ast
import base64
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from mmgit.spec.model import ModelSpec

MODELS = Path(__file__).resolve().parents[2] / "models"
NAMES = ("digits", "filetype", "penguins")
REQUIREMENT = re.compile(r"([a-z0-9-]+)~=\d+\.\d+\.\d+")
IMPORTED_AS = {"pillow": "PIL", "scikit-learn": "sklearn"}
FILE_BYTES_MAX = 5_000_000

each_model = pytest.mark.parametrize("name", NAMES)


def scoring(name: str, file: str) -> str:
    return (MODELS / name / "scoring" / file).read_text(encoding="utf-8")


def requirements(name: str) -> list[str]:
    return scoring(name, "requirements.txt").splitlines()


def imports(file: Path) -> set[str]:
    """The top-level names that a Python file imports."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {each.partition(".")[0] for each in plain | {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}}


@each_model
def test_a_model_says_what_it_is_and_under_which_licence(name: str) -> None:
    declared = ModelSpec.read(yaml.safe_load((MODELS / name / "model.yaml").read_text(encoding="utf-8")))

    assert declared.licence == "Apache-2.0"
    assert declared.task
    assert re.search(r"CC BY 4\.0|CC0-1\.0|Apache-2\.0", declared.description), "the source of the data or the model"


@each_model
def test_the_schema_has_the_arguments_of_run(name: str) -> None:
    schema = json.loads(scoring(name, "schema.json"))
    functions = [node for node in ast.parse(scoring(name, "score.py")).body if isinstance(node, ast.FunctionDef)]

    arguments = {each.name: [argument.arg for argument in each.args.args] for each in functions}

    assert arguments["init"] == []
    assert list(schema["properties"]) == arguments["run"]
    assert schema["required"] == arguments["run"]


@each_model
def test_the_sample_is_what_the_schema_asks_for(name: str) -> None:
    schema, sample = json.loads(scoring(name, "schema.json")), json.loads(scoring(name, "sample.json"))

    Draft202012Validator.check_schema(schema)
    errors = [error.message for error in Draft202012Validator(schema).iter_errors(sample)]

    assert errors == []
    assert not Draft202012Validator(schema).is_valid({})


@each_model
def test_scoring_needs_few_packages_and_names_a_minor_version_of_each(name: str) -> None:
    lines = requirements(name)

    assert all(REQUIREMENT.fullmatch(line) for line in lines), lines
    assert len(lines) <= 4


@each_model
def test_scoring_imports_nothing_that_its_requirements_lack(name: str) -> None:
    files = list((MODELS / name / "scoring").glob("*.py"))
    needed = [line.partition("~=")[0] for line in requirements(name)]
    there = {IMPORTED_AS.get(each, each) for each in needed} | {file.stem for file in files} | sys.stdlib_module_names

    imported = set[str]().union(*map(imports, files))

    assert imported <= there


@each_model
def test_no_model_file_can_run_code_when_it_is_loaded(name: str) -> None:
    files = [file for file in (MODELS / name).rglob("*") if file.is_file()]
    archives = [file for file in files if file.suffix == ".skops"]
    scripts = [file for file in files if file.suffix == ".py"]

    imported = set[str]().union(*map(imports, scripts))
    arrays = [array[:128] for file in archives for array in arrays_of(file)]

    assert imported.isdisjoint({"pickle", "joblib", "cloudpickle", "dill", "marshal"})
    assert not [file for file in files if file.suffix in {".pkl", ".pickle", ".joblib", ".pt"}]
    assert not [array for array in arrays if b"'descr': '|O'" in array], "an array of objects is a pickle"


def arrays_of(archive: Path) -> list[bytes]:
    with zipfile.ZipFile(archive) as members:
        return [members.read(member) for member in members.namelist() if member.endswith(".npy")]


@each_model
def test_the_files_of_a_version_are_small(name: str) -> None:
    sizes = {file: file.stat().st_size for file in (MODELS / name).glob("versions/*/*")}

    assert {file for file, size in sizes.items() if size > FILE_BYTES_MAX} == set()


@pytest.mark.parametrize(
    ("name", "argument", "start"),
    [("digits", "image", b"\x89PNG\r\n\x1a\n"), ("filetype", "content", b"import argparse\n")],
)
def test_a_sample_of_bytes_is_a_file_of_the_right_kind(name: str, argument: str, start: bytes) -> None:
    sample = json.loads(scoring(name, "sample.json"))

    content = base64.b64decode(sample[argument], validate=True)

    assert content.startswith(start)


@pytest.mark.parametrize("file", ["NOTICE", "LICENSE"])
def test_a_model_of_others_travels_with_its_notice_and_licence(file: str) -> None:
    folder = MODELS / "filetype"

    text = (folder / "training" / file).read_bytes()

    assert {"NOTICE": b"Copyright 2024 Google LLC", "LICENSE": b"Apache License"}[file] in text
    assert all((version / file).read_bytes() == text for version in folder.glob("versions/*"))
