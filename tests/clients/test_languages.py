"""Clients in every language, compiled and run against real servers."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.sdk import generate_schema
from tests.clients.conftest import LANGUAGES, answered, built, client_of, scored
from tests.serving.conftest import ANYTHING, BLOCKS, Service, request, until

ECHO = """
def run(image, gaps, rows, **arguments):
    assert image == b"\\x00\\xff bytes"
    without_gaps = {"gaps": [None if gap != gap else gap for gap in gaps.tolist()]}
    return {**without_gaps, "rows": rows.astype(object).where(rows.notna(), None).to_dict("records"), **arguments}
"""
Start = Callable[..., Service]

FRAME = pd.DataFrame(
    {
        "age": [40, 50],
        "city": ["Oslo", None],
        "bill length mm": [1.5, np.nan],
        "plan": pd.Categorical(["a", None], categories=["a", "b"]),
        "class": [True, False],
        "value": [0.1, 1e-7],
    }
)
INPUTS = {
    "x": np.array([[1.0, 2.5], [1e300, -0.0]]),
    "gaps": np.array([1.5, np.nan]),
    "counts": np.array([[1, 2**62]], dtype=np.int64),
    "small": np.array([1, 255], dtype=np.uint8),
    "flags": np.array([True, False]),
    "names": np.array(["a", "ü"]),
    "rows": FRAME,
    "image": b"\x00\xff bytes",
    "options": {"threshold": 1.0, "deep": {"on": True, "list": ["x", "y"]}, "mixed": [1, "two", None]},
    "n": 3,
    "text": "plain",
}


def run(**arguments: Any) -> Any:
    return arguments


def described(folder: Path, inputs: dict[str, Any], language: str = "") -> tuple[Any, Any]:
    """The schema and sample of a service that answers what it is asked."""
    if language == "typescript" and "counts" in inputs:
        inputs = {**inputs, "counts": np.array([[1, 2**53 - 1]])}  # numbers of JavaScript hold no more digits
    outputs = {name: inputs[name] for name in inputs if name != "image"}
    schema = generate_schema(run, inputs, outputs=outputs, filepath=folder / "schema.json")
    return schema, json.loads((folder / "sample.json").read_text())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_scores_its_sample_of_every_type(start: Start, tmp_path: Path, language: str) -> None:
    schema, sample = described(tmp_path, INPUTS, language)
    service = start(score=ECHO, schema=schema)

    command = built(client_of(schema, sample), language, tmp_path / "client")

    del sample["image"]
    assert answered(command, service, tmp_path / "client") == sample


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_sample_lies_in_a_file_of_its_own(start: Start, tmp_path: Path, language: str) -> None:
    inputs = {**INPUTS, "x": np.arange(6000.0).reshape(2000, 3), "more": np.array([["ä" * 20000]])}
    schema, sample = described(tmp_path, inputs, language)
    service = start(score=ECHO, schema=schema)

    command = built(client_of(schema, sample), language, tmp_path / "client")

    assert json.loads((tmp_path / "client/sample.json").read_text()) == sample
    del sample["image"]
    assert answered(command, service, tmp_path / "client") == sample


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_schema_anything_may_be_sent(start: Start, tmp_path: Path, language: str) -> None:
    service = start(score="import json\ndef run(body):\n    return json.loads(body)\n", schema=None)
    sample = {"x": [1, {"deep": None}], "y": "text"}

    command = built(client_of(None, sample, needs_key=False), language, tmp_path / "client")

    assert answered(command, service, tmp_path / "client") == sample


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_comes_with_status_code_message_and_request_id(start: Start, tmp_path: Path, language: str) -> None:
    schema, sample = described(tmp_path, {"n": 1})
    service = start(score="def run(n):\n    raise ValueError(n)\n", schema=schema)

    command = built(client_of(schema, sample), language, tmp_path / "client")
    failed, refused = scored(command, service, tmp_path / "client"), scored(command, service, tmp_path, key="wrong")

    assert failed.returncode == refused.returncode == 1
    (logged,) = until(lambda: service.logged("request", status=500))
    for word in ("500", "scoring_failed", logged["request_id"]):
        assert word in failed.stderr
    for word in ("401", "unauthorized", "a valid key is needed"):
        assert word in refused.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_busy_service_is_asked_again_when_it_says_so(start: Start, tmp_path: Path, language: str) -> None:
    service = start(score=BLOCKS, queue=0)
    command = built(client_of(ANYTHING, {"x": 2}), language, tmp_path / "client")
    blocked = service.client()
    blocked.send(request(service.score_path, b'{"x": 1}'))
    until((service.scoring / "started-1").exists)

    with ThreadPoolExecutor() as aside:
        asked = aside.submit(answered, command, service, tmp_path / "client")
        until(lambda: service.logged("request", status=503))
        (service.scoring / "go").touch()

    assert asked.result() == 2
