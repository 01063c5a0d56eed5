"""Schemathesis against a live server: every answer on every described route is one that the documents describe."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmgit.documents import documents_of
from mmgit.sdk import generate_schema
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


Describe = Callable[[str], Service]


@pytest.fixture
def describe(start: Start, tmp_path: Path) -> Describe:
    """Starts a server with arguments of several types, and the documents that the compiler makes of them."""

    def started(score: str) -> Service:
        schema = generate_schema(run, SAMPLES, OUTPUTS, tmp_path / "schema.json")
        documents = documents_of((tmp_path / "schema.json").read_bytes(), (tmp_path / "sample.json").read_bytes())
        return start(score=score, schema=schema, files={name: text.decode() for name, text in documents.items()})

    return started


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
