"""Score files written for the reference, unmodified: run by hand for their schema, then served."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from mmgit.images.origins import Machine
from mmgit.images.serving import FRONT, INSTALLED, SDK
from tests.serving.conftest import Service, Start, interpreter_of, until
from tests.shim.conftest import SCORE_FILES, ByHand, schema_of

FILES = {
    "iris.py": {"iris.json": '{"threshold": 4.0}'},
    "house.py": {"house.csv": "1.0,2.0\n"},
    "notes.py": {"models/tags/all.json": '["engines", "looms"]'},
}


def serve(start: Start, name: str, schema: Any, **settings: Any) -> Service:
    """Serve one of the score files with the files of its model."""
    models = {"tags": "models/tags"} if name == "notes.py" else {}
    files = {**FILES[name], name: (SCORE_FILES / name).read_text()}
    return start(schema=schema, files=files, facts={"scoring": name, "models": models}, **settings)


def test_a_frame_comes_in_and_what_is_collected_is_said_with_the_request(
    start: Start, by_hand: ByHand, tmp_path: Path
) -> None:
    done = by_hand("iris.py", files=FILES["iris.py"])
    service = serve(start, "iris.py", schema_of(tmp_path, "outputs/service_schema.json"))

    flowers = [(2.5, 6.1), (3.0, 1.3), (3.1, 1.5)]
    rows = [{"petal length": petal, "sepal width": sepal} for sepal, petal in flowers]
    answer = service.ask(service.score_path, json.dumps({"input_df": rows}).encode(), x_request_id="first")

    assert done.stdout.splitlines()[-1] == "Schema generated", done.stderr
    assert json.loads(answer.document) == {
        "species": ["virginica", "setosa", "setosa"],
        "columns": ["sepal width", "petal length"],
    }
    lines = until(lambda: service.logged("collected", request_id="first")[1:] and service.logged("collected"))
    told = [
        {name: line[name] for name in line if name not in ("time", "level", "event", "request_id")} for line in lines
    ]
    assert told == [
        {"model": "iris.json", "identifier": "inputs", "correlation_id": "flower-7", "rows": 3},
        {"model": "iris.json", "identifier": "prediction", "rows": 1},
    ]
    assert service.ask(service.score_path, b'{"input_df": [{"petal length": "long"}]}').status == 400


def test_an_array_comes_in_and_the_model_is_found_by_its_link(start: Start, by_hand: ByHand, tmp_path: Path) -> None:
    done = by_hand("house.py", files=FILES["house.py"])
    service = serve(start, "house.py", schema_of(tmp_path))

    assert done.stdout == "[5.]\n", done.stderr
    assert service.score(rooms=[[3, 1], [2, 4], [0, 0]]).document == [5.0, 10.0, 0.0]
    assert service.score(rooms=[[3, 1, 2]]).status == 400


def test_a_schema_that_a_file_writes_on_import_is_written_by_hand_only(
    start: Start, by_hand: ByHand, tmp_path: Path
) -> None:
    by_hand("house.py", files=FILES["house.py"])

    service = serve(start, "house.py", schema_of(tmp_path))

    assert {path.name for path in service.scoring.iterdir()} == {"house.csv", "house.py", "schema.json", "score.py"}
    assert {path.name for path in (tmp_path / "by-hand").iterdir()} >= {"service_schema.json", "sample.json"}


@pytest.mark.parametrize("minor", ["3.9", "3.13"])
def test_json_and_bytes_come_in_without_a_package_installed(
    start: Start, by_hand: ByHand, tmp_path: Path, minor: str
) -> None:
    interpreter = interpreter_of(minor)
    done = by_hand("notes.py", interpreter=interpreter)
    service = serve(start, "notes.py", schema_of(tmp_path), interpreter=interpreter)

    answer = service.score(note={"author": "Ada", "text": "on engines and looms"}, scan="iVBORw==")

    assert done.returncode == 0, done.stderr
    assert answer.document == {"tags": ["engines", "looms"], "scan": "bytes", "size": 4}
    assert service.score(note={"author": "Ada", "text": "x"}).code == "argument_missing"


def test_an_image_holds_the_same_shim(start: Start, by_hand: ByHand, tmp_path: Path) -> None:
    by_hand("notes.py")
    entries = INSTALLED.entries(tmp_path, machine=Machine("linux/amd64", "3.11", "/usr/bin/python3", "2.36"))
    for entry in itertools.takewhile(lambda entry: entry.path != f"{FRONT}/main.py", entries):
        file = tmp_path / "image" / entry.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(entry.blocks()))

    service = serve(start, "notes.py", schema_of(tmp_path), sdk_folder=str(tmp_path / "image" / SDK))

    assert service.score(note={"author": "Ada", "text": "looms"}, scan="").document["tags"] == ["looms"]
