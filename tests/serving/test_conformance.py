"""Schemathesis against a live server: every answer on every described route is one that the documents describe."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from mmgit.documents import documents_of
from mmgit.sdk import DataTypes, SampleDefinition, generate_schema
from tests.serving.conftest import KEY, Service, Start

SCORE = """
def run(x, rows, options=None):
    return {"count": len(rows), "means": [0.5] * len(x), "image": b"a", "cities": [str(city) for city in rows["city"]]}
"""
SAMPLES = {
    "x": np.array([[1.5, 2.5]]),
    "rows": pd.DataFrame({"age": [40], "city": ["Oslo"], "plan": pd.Categorical(["a"], categories=["a", "b"])}),
    "options": {"top": 3, "tags": ["a"]},
}
OUTPUTS = {"count": 1, "means": np.array([0.5]), "image": b"a"}


def run(x: object, rows: object, options: object = None) -> None:
    """The arguments of `SCORE`."""


class Kind(NamedTuple):
    """A `run()` and what is declared of it; without samples there is no schema."""

    score: str
    samples: Mapping[str, Any] | None
    outputs: Any = None
    can_say_all: bool = False
    """Whether JSON Schema can: not that a text is base64 or a day of the calendar, nor that lists have one length."""


KINDS = {
    "bytes alone": Kind("def run(image):\n    return len(image)\n", {"image": b"a"}, 1),
    "dates and missing values": Kind(
        "def run(rows, days):\n    return {'rows': len(rows), 'days': len(days)}\n",
        {
            "rows": pd.DataFrame(
                {
                    "at": pd.to_datetime(pd.Series(["2026-01-01", None])).dt.tz_localize("UTC"),
                    "count": pd.array([1, None], dtype="Int64"),
                    "is_new": pd.array([True, None], dtype="boolean"),
                    "price": [1.5, np.nan],
                }
            ),
            "days": np.array(["2026-01-01"], dtype="datetime64[ns]"),
        },
        {"rows": 1, "days": 1},
    ),
    "arrays of free sizes": Kind(
        "def run(picture, mask):\n    return picture.astype('float64') + 0.5\n",
        {
            "picture": SampleDefinition(DataTypes.NUMPY, np.zeros((2, 2, 3), "uint8"), shape=(None, None, 3)),
            "mask": np.array([True]),
        },
        SampleDefinition(DataTypes.NUMPY, np.zeros((2, 2, 3)), shape=(None, None, 3)),
    ),
    "plain JSON": Kind(
        "def run(text, flag, ids, nested):\n    return [text, flag, ids, nested]\n",
        {"text": "a", "flag": True, "ids": [1, 2], "nested": {"a": {"b": [{"c": 0.5}]}, "d": None}},
        can_say_all=True,
    ),
    "nothing": Kind("def run(body):\n    return len(body)\n", None, can_say_all=True),
}

Describe = Callable[[str], Service]


@pytest.fixture
def describe(start: Start, tmp_path: Path) -> Describe:
    """Starts a server with arguments of several types, and the documents that the compiler makes of them."""

    def started(score: str) -> Service:
        schema = generate_schema(run, SAMPLES, OUTPUTS, tmp_path / "schema.json")
        documents = documents_of((tmp_path / "schema.json").read_bytes(), (tmp_path / "sample.json").read_bytes())
        return start(score=score, schema=schema, files={name: text.decode() for name, text in documents.items()})

    return started


@pytest.mark.parametrize("kind", KINDS)
def test_so_is_every_answer_of_every_kind_of_schema(start: Start, tmp_path: Path, kind: str) -> None:
    score, samples, outputs, can_say_all = KINDS[kind]
    excluded = () if can_say_all else ("--exclude-checks=positive_data_acceptance",)
    schema: Any = None
    given: tuple[bytes | None, bytes | None] = (None, None)
    if samples is not None:
        names: dict[str, Any] = {}
        exec(score, names)  # noqa: S102 - a case of ours
        schema = generate_schema(names["run"], samples, outputs, tmp_path / "schema.json")
        given = ((tmp_path / "schema.json").read_bytes(), (tmp_path / "sample.json").read_bytes())
    documents = {name: text.decode() for name, text in documents_of(*given).items()}
    service = start(score=score, schema=schema, files=documents)

    fuzz(service, "openapi.json", "--max-examples=30", "--generation-deterministic", *excluded)

    assert service.metric('mmgit_requests_total{status="200"}') > 10
    assert not service.logged("conversion_failed")
    assert service.metric('mmgit_scorer_restarts_total{reason="crashed"}') == 0


def fuzz(service: Service, document: str, *options: str) -> str:
    """The report of schemathesis, whose exit code must be 0."""
    address = f"http://127.0.0.1:{service.port}{service.base}/{document}"
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", address, "--no-color", "--checks=all"]
    command += [f"--header=Authorization: Bearer {KEY}", "--warnings=off", *options]
    done = subprocess.run(command, cwd=service.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    ("document", "excluded"),
    [
        ("openapi.json", []),
        ("swagger.json", ["--exclude-checks=negative_data_rejection"]),  # Swagger 2.0 cannot say null but by extension
    ],
)
def test_every_answer_is_one_that_the_documents_describe(
    describe: Describe, document: str, excluded: list[str]
) -> None:
    service = describe(SCORE)

    report = fuzz(service, document, "--max-examples=50", "--generation-deterministic", *excluded)

    assert "2 selected / 2 total" in report, report  # the scores, and the other document
    assert service.metric('mmgit_requests_total{status="200"}') > 10
    assert service.metric('mmgit_requests_total{status="400"}') > 10
    assert service.is_ready()


def test_so_is_the_answer_to_what_goes_wrong_in_the_scoring_code(describe: Describe) -> None:
    service = describe("def run(x, rows, options=None):\n    return {'count': 'one'} if options else 1 / 0\n")

    fuzz(
        service,
        "openapi.json",
        "--exclude-checks=not_a_server_error",
        "--max-examples=20",
        "--generation-deterministic",
    )

    assert service.logged("result_refused")
    assert service.logged("run_failed")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_answer_of_ten_minutes_is_described(describe: Describe) -> None:
    service = describe(SCORE)

    fuzz(service, "openapi.json", "--max-examples=1000000", "--max-time=600", "--continue-on-failure")

    assert service.is_ready()
    assert service.metric('mmgit_scorer_restarts_total{reason="crashed"}') == 0
