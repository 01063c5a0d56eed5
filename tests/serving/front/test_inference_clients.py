"""The Open Inference Protocol v2 as its own client speaks it, to a server as an image starts it."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from mmgit.sdk import generate_schema
from tests.serving.conftest import BLOCKS, KEY, Service, Start, request, until
from tests.serving.conftest import running as server

VERSION = "7"
SCORES = """
import numpy as np
import pandas as pd

def run(x, counts, rows, image, label, options=None):
    assert x.dtype == "float64" and x.flags.writeable and counts.dtype == "int32"
    return {
        "sums": x.sum(axis=1),
        "counts": counts * 2,
        "frame": pd.DataFrame({"age": rows["age"] + 1, "city": rows["city"].str.upper()}),
        "size": len(image),
        "label": label,
        "flags": [bool(value > 2) for value in counts],
        "options": options,
    }
"""
FRAME = pd.DataFrame({"age": [40, 41], "city": ["Oslo", "Bergen"], "height": [1.5, None]})
SAMPLES = {
    "x": np.array([[1.5, 2.5]]),
    "counts": np.array([1, 2, 3], dtype=np.int32),
    "rows": FRAME,
    "image": b"\x89PNG",
    "label": "cat",
    "options": {"top": 3},
}


def with_key(**headers: str) -> dict[str, str]:
    """The client writes into what it is given: each call gets its own."""
    return {"authorization": f"Bearer {KEY}", **headers}


def run(x: Any, counts: Any, rows: Any, image: Any, label: Any, options: Any = None) -> None:  # noqa: PLR0913, PLR0917
    """The arguments of `SCORES`."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    schema = generate_schema(run, SAMPLES, outputs={"sums": np.array([1.5]), "size": 3})
    folder = tmp_path_factory.mktemp("server") / "inference"
    with server(folder, score=SCORES, schema=schema, manifest=f"digits/{VERSION}") as service:
        yield service


@pytest.fixture(params=["", Service.base], ids=["root", "path"])
def client(service: Service, request: pytest.FixtureRequest) -> Iterator[Any]:
    with triton.InferenceServerClient(f"127.0.0.1:{service.port}{request.param}") as client:
        yield client


def tensor(name: str, datatype: str, values: Any, *, binary: bool = True) -> Any:
    array = np.array(values) if not isinstance(values, np.ndarray) else values
    given = triton.InferInput(name, list(array.shape), datatype)
    given.set_data_from_numpy(array, binary_data=binary)
    return given


def texts(*values: str | bytes) -> np.ndarray[Any, Any]:
    return np.array([value.encode() if isinstance(value, str) else value for value in values], dtype=np.object_)


def inputs(*, binary: bool) -> list[Any]:
    return [
        tensor("x", "FP64", [[1.0, 2.0], [3.0, 4.5]], binary=binary),
        tensor("counts", "INT32", np.array([1, 2, 3], dtype=np.int32), binary=binary),
        tensor("rows.age", "INT64", [40, 41], binary=binary),
        tensor("rows.city", "BYTES", texts("Oslo", "Zürich"), binary=binary),
        tensor("rows.height", "FP64", [1.5, 1.75], binary=binary),
        tensor("image", "BYTES", texts("png"), binary=binary),
        tensor("label", "BYTES", texts("cat"), binary=binary),
        tensor("options", "BYTES", texts('{"top": 5}'), binary=binary),
    ]


def test_a_client_sees_that_all_is_ready(client: Any) -> None:
    assert client.is_server_live(headers=with_key())
    assert client.is_server_ready(headers=with_key())
    assert client.is_model_ready("digits", headers=with_key())
    assert client.is_model_ready("digits", VERSION, headers=with_key())
    assert not client.is_model_ready("digits", "8", headers=with_key())
    assert not client.is_model_ready("iris", headers=with_key())


def test_every_question_needs_a_key(client: Any) -> None:
    assert not client.is_server_live()
    assert not client.is_server_ready()
    assert not client.is_model_ready("digits")
    for ask in (client.get_server_metadata, lambda: client.get_model_metadata("digits")):
        with pytest.raises(InferenceServerException, match="a valid key is needed"):
            ask()
    with pytest.raises(InferenceServerException, match="a valid key is needed"):
        client.infer("digits", inputs(binary=True))


def test_the_server_names_its_extensions(client: Any) -> None:
    metadata = client.get_server_metadata(headers=with_key())

    assert metadata["name"] == "mmgit"
    assert metadata["extensions"] == ["binary_tensor_data"]


@pytest.mark.parametrize("version", ["", VERSION])
def test_the_metadata_is_the_schema(client: Any, version: str) -> None:
    metadata = client.get_model_metadata("digits", version, headers=with_key())

    assert metadata["name"] == "digits"
    assert metadata["versions"] == [VERSION]
    assert [(each["name"], each["datatype"], each["shape"]) for each in metadata["inputs"]] == [
        ("x", "FP64", [-1, 2]),
        ("counts", "INT32", [-1]),
        ("rows.age", "INT64", [-1]),
        ("rows.city", "BYTES", [-1]),
        ("rows.height", "FP64", [-1]),
        ("image", "BYTES", [1]),
        ("label", "BYTES", [1]),
        ("options", "BYTES", [1]),
    ]
    assert [(each["name"], each["datatype"], each["shape"]) for each in metadata["outputs"]] == [
        ("sums", "FP64", [-1]),
        ("size", "INT64", [1]),
    ]


@pytest.mark.parametrize("version", ["", VERSION])
@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_tensors_become_arguments_and_the_result_tensors(
    client: Any, version: str, *, binary_in: bool, binary_out: bool | None
) -> None:
    names = ("sums", "counts", "frame.age", "frame.city", "size", "label", "flags", "options")
    wanted = None if binary_out is None else [triton.InferRequestedOutput(n, binary_data=binary_out) for n in names]

    result = client.infer("digits", inputs(binary=binary_in), version, wanted, request_id="r-1", headers=with_key())

    response = result.get_response()
    assert (response["model_name"], response["model_version"], response["id"]) == ("digits", VERSION, "r-1")
    assert tuple(output["name"] for output in response["outputs"]) == names
    assert result.as_numpy("sums").tolist() == [3.0, 7.5]
    assert (result.as_numpy("counts").tolist(), result.as_numpy("counts").dtype) == ([2, 4, 6], np.int32)
    assert result.as_numpy("frame.age").tolist() == [41, 42]
    assert [as_text(each) for each in result.as_numpy("frame.city")] == ["OSLO", "ZÜRICH"]
    assert result.as_numpy("size").tolist() == [3]
    assert as_text(result.as_numpy("label")[0]) == "cat"
    assert result.as_numpy("flags").tolist() == [False, False, True]
    assert json.loads(as_text(result.as_numpy("options")[0])) == {"top": 5}


def as_text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_only_the_outputs_asked_for_come_each_in_its_form(client: Any) -> None:
    wanted = [triton.InferRequestedOutput("size", binary_data=False), triton.InferRequestedOutput("sums")]

    result = client.infer("digits", inputs(binary=True), outputs=wanted, headers=with_key())

    size, sums = result.get_response()["outputs"]
    assert size == {"name": "size", "datatype": "INT64", "shape": [1], "data": [3]}
    assert sums["parameters"] == {"binary_data_size": 16}
    assert result.as_numpy("sums").tolist() == [3.0, 7.5]


def test_an_argument_with_a_default_may_be_left_out(client: Any) -> None:
    result = client.infer("digits", inputs(binary=True)[:-1], headers=with_key())

    assert as_text(result.as_numpy("options")[0]) == "null"


@pytest.mark.parametrize("binary", [True, False])
def test_a_compressed_request_is_taken(client: Any, *, binary: bool) -> None:
    result = client.infer("digits", inputs(binary=binary), headers=with_key(), request_compression_algorithm="gzip")

    assert result.as_numpy("sums").tolist() == [3.0, 7.5]


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        (tensor("x", "FP64", [1.0, 2.0]), r"x: expected the shape \[-1, 2\], found \[2\]"),
        (tensor("x", "FP64", [[1.0, 2.0, 3.0]]), r"x: expected the shape \[-1, 2\], found \[1, 3\]"),
        (tensor("x", "FP64", [[1.0, float("nan")]]), "x: NaN is not taken"),
        (tensor("x", "FP64", [[1.0, float("inf")]]), "x: an infinity is not taken"),
        (tensor("x", "BOOL", [[True, False]]), "x: expected FP64, found BOOL"),
        (tensor("counts", "INT64", [1]), "counts: expected INT32, found INT64"),
        (tensor("counts", "INT64", [2**40], binary=False), "expected a whole number from -2147483648"),
        (tensor("rows.age", "FP64", [1.0, float("nan")]), r"rows\[1\].age: expected a whole number"),
        (tensor("rows.age", "INT64", [1]), "rows.city: expected 1 rows, found 2"),
        (tensor("rows.age", "INT64", [[1, 2]]), "rows.age: expected a tensor of one axis"),
        (tensor("rows.city", "BYTES", texts(b"\xff", "a")), "rows.city: a text is not UTF-8"),
        (tensor("image", "BYTES", texts("a", "b")), "image: expected one element of BYTES"),
        (tensor("image", "INT64", [1]), "image: expected one element of BYTES"),
        (tensor("options", "BYTES", texts("{")), "not JSON"),
        (tensor("options", "BYTES", texts("[1]")), "options: expected object"),
    ],
)
def test_a_tensor_that_is_not_what_is_declared_is_refused_by_name(client: Any, replaced: Any, message: str) -> None:
    given = [replaced if each.name() == replaced.name() else each for each in inputs(binary=True)]

    with pytest.raises(InferenceServerException, match=message) as refused:
        client.infer("digits", given, headers=with_key())

    assert refused.value.status() == "400"


def test_a_tensor_too_many_or_too_few_is_refused_by_name(client: Any) -> None:
    for given, message in (
        (inputs(binary=True)[1:], "x: this tensor is missing"),
        (inputs(binary=True)[:2] + inputs(binary=True)[3:], "rows.age: this tensor is missing"),
        ([*inputs(binary=True), tensor("y", "INT64", [1])], "y: there is no such tensor; the tensors are x, counts"),
        ([*inputs(binary=True), tensor("x", "INT64", [1])], "the tensor x stands twice"),
    ):
        with pytest.raises(InferenceServerException, match=message):
            client.infer("digits", given, headers=with_key())


def test_an_output_that_is_not_there_is_refused(client: Any) -> None:
    with pytest.raises(InferenceServerException, match="there is no nothing; the outputs are sums, counts"):
        client.infer(
            "digits", inputs(binary=True), outputs=[triton.InferRequestedOutput("nothing")], headers=with_key()
        )


def infer(service: Service, inputs: list[Any], **options: Any) -> Any:
    with triton.InferenceServerClient(f"127.0.0.1:{service.port}") as client:
        return client.infer("digits", inputs, headers=with_key(**options.pop("headers", {})), **options)


def test_the_columns_of_the_only_frame_are_named_alone(start: Start) -> None:
    schema = generate_schema(lambda rows: rows, {"rows": FRAME})
    service = start(score="def run(rows): return rows", schema=schema)

    result = infer(
        service,
        [
            tensor("height", "FP64", [[1.5], [float("nan")]]),
            tensor("age", "INT64", [1, 2]),
            tensor("city", "BYTES", texts("a", "b")),
        ],
    )

    assert [output["name"] for output in result.get_response()["outputs"]] == ["age", "city", "height"]
    assert result.as_numpy("age").tolist() == [1, 2]
    assert result.as_numpy("height").tolist()[0] == 1.5
    assert np.isnan(result.as_numpy("height")[1])


@pytest.mark.parametrize("binary", [True, False])
def test_one_tensor_for_one_input_may_have_any_name(start: Start, *, binary: bool) -> None:
    schema = generate_schema(lambda x: x, {"x": np.zeros((1, 2, 3), np.float32)})
    service = start(score="def run(x): return x * 2", schema=schema)
    values = np.arange(12, dtype=np.float32).reshape(2, 2, 3)

    result = infer(service, [tensor("input-0", "FP32", values, binary=binary)])

    assert result.as_numpy("output").dtype == np.float32
    assert (result.as_numpy("output") == values * 2).all()


@pytest.mark.parametrize("datatype", ["BOOL", "INT8", "UINT16", "UINT64", "FP16", "FP32", "FP64"])
@pytest.mark.parametrize("binary", [True, False])
def test_each_datatype_goes_in_and_out_as_it_is(start: Start, datatype: str, *, binary: bool) -> None:
    values = np.array([[0, 1], [1, 0]], dtype=triton_to_np_dtype(datatype))
    service = start(score="def run(x): return x", schema=generate_schema(lambda x: x, {"x": values}))

    result = infer(service, [tensor("x", datatype, values, binary=binary)])

    assert result.as_numpy("output").dtype == values.dtype
    assert (result.as_numpy("output") == values).all()


def test_without_a_schema_run_is_given_the_bytes(start: Start) -> None:
    service = start(score="def run(body): return body[::-1]", schema=None)

    result = infer(service, [tensor("anything", "BYTES", texts(b"\xff\x00ab"))])

    assert result.as_numpy("output").tolist() == [b"ba\x00\xff"]


@pytest.mark.parametrize(
    "json_value", [3, 2.5, True, "text", [1, 2], [[1.5, 2], [3, 4]], ["a"], {"a": 1}, None, [1, "a"]]
)
def test_a_result_of_plain_values_has_a_tensor(start: Start, json_value: Any) -> None:
    service = start(score=f"def run(x): return {json_value!r}")

    result = infer(service, [tensor("x", "BYTES", texts("1"))])

    [output] = result.get_response()["outputs"]
    value = result.as_numpy(output["name"])
    if output.get("parameters", {}).get("content_type") == "application/json":
        assert json.loads(value[0]) == json_value
    elif isinstance(json_value, list):
        assert [as_text(v) if isinstance(v, bytes) else v for v in value.tolist()] == json_value
    else:
        expected = json_value["a"] if isinstance(json_value, dict) else json_value
        assert [as_text(v) if isinstance(v, bytes) else v for v in value.tolist()] == [expected]


def test_nan_in_a_result_is_no_json_but_may_be_binary(start: Start) -> None:
    score = "import numpy\ndef run(x): return numpy.array([1.0, numpy.nan])"
    service = start(score=score)
    given = [tensor("x", "BYTES", texts("1"))]

    assert np.isnan(infer(service, given).as_numpy("output")[1])
    with pytest.raises(InferenceServerException, match="no JSON form"):
        infer(service, given, outputs=[triton.InferRequestedOutput("output", binary_data=False)])


def test_what_the_user_raises_is_no_news_to_the_client(start: Start) -> None:
    service = start(score="def run(x): raise ValueError('canary')")

    with pytest.raises(InferenceServerException, match=r"^\[500\] the scoring code failed; the log says why$"):
        infer(service, [tensor("x", "BYTES", texts("1"))])
    until(lambda: service.logged("run_failed"))


def test_the_queue_and_the_deadline_are_those_of_the_service(start: Start) -> None:
    service = start(score=BLOCKS, queue=1)
    running, waiting = service.client(), service.client()
    running.send(request(service.score_path, b'{"x": 1}'))
    until((service.scoring / "started-1").exists)
    waiting.send(request(service.score_path, b'{"x": 2}'))
    until(lambda: service.metric("mmgit_queue_requests") == 1)

    with pytest.raises(InferenceServerException, match="the queue is full"):
        infer(service, [tensor("x", "BYTES", texts("3"))])

    (service.scoring / "go").touch()
    assert [client.answer().document for client in (running, waiting)] == [1, 2]
    with pytest.raises(InferenceServerException, match="not scored in time"):
        infer(service, [tensor("x", "BYTES", texts("4"))], headers={"x-request-timeout-ms": "0"})
    assert service.metric('mmgit_requests_total{status="504"}') == 1


def test_a_client_sees_that_a_server_is_not_ready(start: Start) -> None:
    service = start(score="import time\ntime.sleep(1000)\n", awaited=False)

    with triton.InferenceServerClient(f"127.0.0.1:{service.port}") as client:
        assert client.is_server_live(headers=with_key())
        assert not client.is_server_ready(headers=with_key())
        assert not client.is_model_ready("digits", headers=with_key())
