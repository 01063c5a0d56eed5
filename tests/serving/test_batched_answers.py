"""Any mix of requests is answered to the byte as each of them is when it comes alone."""

import itertools
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgit.sdk import DataTypes, SampleDefinition, generate_schema
from tests.serving.conftest import Answer, Service, request, running, until

SCORE = """
import os, time
import numpy as np
import pandas as pd

def run(x, frame=None):
    hold = int(x[0][0]) if len(x) == 1 and x[0][0] < -1000 else 0
    if hold:
        open(f"holding{hold}", "w").close()
        while not os.path.exists(f"go{hold}"):
            time.sleep(0.001)
    if (x == 666).any():
        raise ValueError("poison")
    if len(x) == 0:
        raise ValueError("no rows")
    if (x == 7).any():
        return {"sums": float(x.sum())}
    if frame is None:
        return {"sums": x.sum(axis=1), "rows": x.tolist(), "doubled": x * 2}
    frame = frame.assign(sum=x.sum(axis=1), long=frame["city"].str.len().fillna(-1).astype("int64"))
    return frame.drop(columns="since")
"""
FRAME = pd.DataFrame(
    {
        "age": [40, 41],
        "height": [1.5, None],
        "city": ["Oslo", None],
        "kind": pd.Categorical(["b", "a"], categories=["a", "b", "c"]),
        "since": pd.Series(["2026-01-01", None]).astype("datetime64[ns]"),
    }
)
QUEUE = 40
HOLDS = itertools.count(1001)

cells = st.one_of(st.integers(0, 6), st.floats(0, 6, width=32))
frame_rows = st.fixed_dictionaries(
    {
        "age": st.integers(0, 9),
        "height": st.none() | st.floats(0, 9, width=16),
        "city": st.none() | st.text("abcø", max_size=3),
        "kind": st.none() | st.sampled_from("abc"),
        "since": st.none() | st.sampled_from(["2026-01-01", "2026-02-28T12:00:00", "2026-02-31"]),
    }
)


@st.composite
def arguments(draw: st.DrawFn, *, is_numeric: bool = False) -> dict[str, Any]:
    """Mostly right ones: rows of 2 cells or of 3, often with a frame that mostly has as many rows."""
    rows = draw(st.sampled_from([1, 1, 1, 2, 3, 0]))
    width = draw(st.sampled_from([2, 2, 2, 3]))
    given: dict[str, Any] = {"x": draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=rows))}
    if given["x"] and draw(st.integers(0, 9)) == 0:
        given["x"][0][0] = draw(st.sampled_from([666, 7]))  # what run() fails for, or answers without rows
    if not is_numeric and draw(st.booleans()):
        given["frame"] = draw(st.lists(frame_rows, min_size=len(given["x"]), max_size=rows))
    return given


def plain(given: Mapping[str, Any]) -> tuple[str, bytes, dict[str, str]]:
    return "score", json.dumps(given).encode(), {}


def infer(given: Mapping[str, Any], *, is_binary: bool = False) -> tuple[str, bytes, dict[str, str]]:
    rows = given["x"]
    tensor: dict[str, Any] = {"name": "x", "datatype": "FP64", "shape": [len(rows), len(rows[0]) if rows else 2]}
    flat = [float(cell) for row in rows for cell in row]
    if not is_binary:
        return "v2/models/digits/infer", json.dumps({"id": "i", "inputs": [{**tensor, "data": flat}]}).encode(), {}
    packed = struct.pack(f"<{len(flat)}d", *flat)
    tensor["parameters"] = {"binary_data_size": len(packed)}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return "v2/models/digits/infer", head + packed, {"inference_header_content_length": str(len(head))}


wrong_bodies = st.sampled_from(
    [b"{", b"[]", b'{"x": 1}', b'{"x": [[1, "a"]]}', b'{"y": []}', b'{"x": [[NaN]]}', b"\xff"]
)
asked: st.SearchStrategy[tuple[str, bytes, dict[str, str]]] = st.one_of(
    arguments().map(plain),
    arguments().map(plain),
    arguments().map(infer),
    arguments().map(lambda given: infer(given, is_binary=True)),
    wrong_bodies.map(lambda body: ("score", body, {})),
)
Asked = tuple[str, bytes, dict[str, str]]


def run(x: Any, frame: Any = None) -> None:
    """The arguments of `SCORE`."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    x = SampleDefinition(DataTypes.NUMPY, np.zeros((1, 2)), shape=(None, None))
    schema = generate_schema(run, {"x": x, "frame": FRAME}, row_wise=True)
    folder = tmp_path_factory.mktemp("server") / "batched"
    with running(folder, score=SCORE, schema=schema, queue=QUEUE, batch_max_requests=8) as service:
        yield service


def bytes_of(number: int, one: Asked) -> bytes:
    path, body, headers = one
    named = {"x_request_id": f"r{number}", "content_type": "application/json", **headers}
    return request(f"{Service.base}/{path}", body, **named)


def seen(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    return answer.status, {name: value for name, value in answer.headers.items() if name != "date"}, answer.body


def alone(service: Service, mix: list[Asked]) -> list[Answer]:
    """Each when nothing else is there."""
    client = service.client()
    answers = []
    for number, one in enumerate(mix):
        client.send(bytes_of(number, one))
        answers.append(client.answer())
    client.close()
    return answers


def together(service: Service, mix: list[Asked]) -> list[Answer]:
    """All while the scorer is kept busy."""
    hold = -next(HOLDS)
    holding = service.client()
    holding.send(bytes_of(99, plain({"x": [[hold, 0]]})))
    until((service.scoring / f"holding{hold}").exists)
    clients = [service.client() for _ in mix]
    for number, one in enumerate(mix):
        clients[number].send(bytes_of(number, one))
    until(lambda: service.metric("mmgit_queue_requests") == len(mix))
    (service.scoring / f"go{hold}").touch()
    assert holding.answer().status == 200
    answers = [client.answer() for client in clients]
    for client in clients:
        client.close()
    return answers


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(mix=st.lists(asked, min_size=2, max_size=12))
def test_a_mix_is_answered_as_each_request_is_alone(service: Service, mix: list[Asked]) -> None:
    expected = [seen(answer) for answer in alone(service, mix)]

    found = [seen(answer) for answer in together(service, mix)]

    assert found == expected


@pytest.fixture(scope="module")
def numeric(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same without frames: where all are right, what waits is read and written at once."""
    x = SampleDefinition(DataTypes.NUMPY, np.zeros((1, 2)), shape=(None, None))
    schema = generate_schema(lambda x: x, {"x": x}, row_wise=True)
    folder = tmp_path_factory.mktemp("server") / "numeric"
    with running(folder, score=SCORE, schema=schema, queue=QUEUE, batch_max_requests=8) as service:
        yield service


reaching = st.sampled_from(
    [
        b'{"x": [[1, 1]]},{"x": [[2, 2]]}',
        b'{"x": "',
        b'"}',
        b'"},{"x": [[3, 3]]},{"x": [[3, 3]]}',
        b'{"x": [[1',
        b"1]]}",
        b"",
    ]
)
"""Bodies that would be something else if others were read with them."""


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    mix=st.lists(
        st.one_of(
            arguments(is_numeric=True).map(plain),
            arguments(is_numeric=True).map(plain),
            arguments(is_numeric=True).map(infer),
            st.one_of(reaching, reaching, wrong_bodies).map(lambda body: ("score", body, {})),
        ),
        min_size=2,
        max_size=12,
    )
)
def test_a_mix_of_numbers_is_answered_as_each_request_is_alone(numeric: Service, mix: list[Asked]) -> None:
    expected = [seen(answer) for answer in alone(numeric, mix)]

    found = [seen(answer) for answer in together(numeric, mix)]

    assert found == expected


def test_the_mixes_were_scored_together(service: Service) -> None:
    right = [plain({"x": [[number, 1]]}) for number in range(8, 16)]
    before = service.metric("mmgit_batch_requests_count")

    answers = together(service, right)

    assert [answer.status for answer in answers] == [200] * 8
    assert service.metric("mmgit_batch_requests_count") - before == 2
