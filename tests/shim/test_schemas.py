"""What the reference wrote as a pickle, written as JSON Schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmgit.sdk import generate_schema
from tests.shim.conftest import ByHand, schema_of

SAVES = """
from azureml.api.schema.dataTypes import DataTypes
from azureml.api.schema.sampleDefinition import SampleDefinition
from azureml.api.schema.schemaUtil import save_service_schema
from azureml.api.realtime.services import generate_schema

def run(x, y):
    return x

x, y = SampleDefinition(DataTypes.STANDARD, 1), SampleDefinition(DataTypes.STANDARD, "a")
"""


def run(x: Any, y: Any) -> Any:
    """The same as in the file above."""
    return x, y


def test_both_ways_of_the_reference_write_what_the_sdk_writes(by_hand: ByHand, tmp_path: Path) -> None:
    text = f"{SAVES}\nsave_service_schema('saved.json', {{'x': x, 'y': y}}, {{'x': x, 'y': y}})\n"
    text += "generate_schema(run, {'x': x, 'y': y}, {'x': x, 'y': y}, 'generated.json')\n"

    done = by_hand("score.py", files={"score.py": text})

    assert done.returncode == 0, done.stderr
    expected = generate_schema(run, {"x": 1, "y": "a"}, {"x": 1, "y": "a"}, check_outputs=False)
    assert schema_of(tmp_path, "saved.json") == schema_of(tmp_path, "generated.json") == expected
    assert json.loads((tmp_path / "by-hand" / "sample.json").read_text()) == {"x": 1, "y": "a"}


IMPORTS = """
import azureml.api.realtime.services
import azureml.datacollector
from azureml.api.realtime import services
from azureml.api.schema import dataTypes, sampleDefinition, schemaUtil
from azureml.api.schema.sampleDefinition import DataTypes, SampleDefinition
from azureml.api.schema.schemaUtil import *
from azureml.datacollector.modeldatacollector import ModelDataCollector

assert services is azureml.api.realtime.services
assert DataTypes is dataTypes.DataTypes is schemaUtil.DataTypes
assert {"STANDARD", "NUMPY", "PANDAS", "SPARK"} <= {*DataTypes.__members__}
assert SampleDefinition is sampleDefinition.SampleDefinition is schemaUtil.SampleDefinition
assert ModelDataCollector is azureml.datacollector.ModelDataCollector
"""


def test_every_way_to_import_a_name_finds_the_same(by_hand: ByHand) -> None:
    done = by_hand("imports.py", files={"imports.py": IMPORTS})

    assert done.returncode == 0, done.stderr


def test_the_name_of_an_only_output_is_no_part_of_the_result(by_hand: ByHand, tmp_path: Path) -> None:
    by_hand(
        "score.py", files={"score.py": f"{SAVES}\ngenerate_schema(run, {{'x': x, 'y': y}}, {{'out': y}}, 'one.json')\n"}
    )

    assert schema_of(tmp_path, "one.json") == generate_schema(run, {"x": 1, "y": "a"}, "a", check_outputs=False)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("save_service_schema('', {'x': x})", "needs the path"),
        ("save_service_schema('schema.json')", "needs samples"),
        ("generate_schema(run, {'x': x})", "the argument y"),
        ("generate_schema(run, {'x': x, 'y': y, 'z': y})", "no argument of run"),
    ],
)
def test_what_the_reference_refused_is_refused(by_hand: ByHand, call: str, message: str) -> None:
    done = by_hand("score.py", files={"score.py": f"{SAVES}\n{call}\n"})

    assert done.returncode == 1
    assert "ValueError: " in done.stderr
    assert message in done.stderr
