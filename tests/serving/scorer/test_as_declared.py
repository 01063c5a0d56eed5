"""What `generate_schema` writes of polars and Pillow, and what the scorer makes of it: both agree, there and back."""

import base64
import datetime as dt
import io
import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from PIL import Image

from mmgit.sdk import generate_schema
from mmgit.serving.scorer.arguments import Arguments
from mmgit.serving.scorer.frames import RAW
from mmgit.serving.scorer.inference import Inference, Model
from mmgit.serving.scorer.outputs import output_check
from mmgit.serving.scorer.results import ResultError, json_of
from mmgit.serving.scorer.rows import joined, parts_of
from mmgit.serving.scorer.strict_json import Refused
from mmgit.serving.scorer.tables import table_of
from tests.serving.conftest import Start

TIME = dt.datetime(2026, 2, 28, 12)  # noqa: DTZ001 - without a zone
FRAME = pl.DataFrame(
    {
        "age": pl.Series([40, None], dtype=pl.Int16),
        "income": [1.5, 2.0],
        "city": ["Oslo", None],
        "plan": pl.Series(["low", "high"], dtype=pl.Enum(["low", "high"])),
        "code": pl.Series(["a", "b"], dtype=pl.Categorical),
        "day": [dt.date(2026, 2, 28), None],
        "time": pl.Series([TIME, None], dtype=pl.Datetime("ns")),
        "is_new": [True, None],
    }
)


def run(x: Any) -> Any:
    return x


def arguments(sample: Any) -> tuple[Arguments, bytes]:
    """What the schema of this sample converts, and a request with the sample itself."""
    schema = generate_schema(run, {"x": sample}, outputs=sample)
    [example] = schema["x-mmgit"]["output"]["examples"]
    return Arguments(schema), json.dumps({"x": example}).encode()


@pytest.mark.parametrize("sample", [FRAME, *FRAME.get_columns()], ids=["frame", *FRAME.columns])
def test_a_sample_reaches_run_as_it_was_shown(sample: Any) -> None:
    converted, request = arguments(sample)

    got = converted(request)["x"]

    if isinstance(sample, pl.DataFrame):
        assert got.schema == sample.schema
        assert got.equals(sample)
    else:
        assert got.dtype == sample.dtype
        assert got.to_list() == sample.to_list()


@pytest.mark.parametrize("sample", [FRAME, FRAME["income"], FRAME["plan"]])
def test_a_result_is_written_as_it_is_declared_and_held_to_it(sample: Any) -> None:
    schema = generate_schema(run, {"x": 1}, outputs=sample)
    check = output_check(schema)
    assert check is not None

    check(json_of(sample))

    with pytest.raises(ResultError, match="result"):
        check(json_of(pl.DataFrame({"other": [1]})))


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("age", 40000, r"x\[0\].age: expected a whole number from -32768 to 32767 or null"),
        ("age", "40", r"x\[0\].age: expected"),
        ("plan", "middle", r"x\[0\].plan: expected one of"),
        ("day", "2026-02-30", r"x\[0\].day: not a Date cell"),
        ("day", "2026-02-28T00:00:00", r"x\[0\].day: not a Date cell: expected a date"),
        ("time", "2026-02-28T12:00:00+01:00", r"x\[0\].time: not a Datetime\[ns\] cell"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_path(column: str, cell: Any, words: str) -> None:
    converted, request = arguments(FRAME)
    body = json.loads(request)
    body["x"][0][column] = cell

    with pytest.raises(Refused, match=words):
        converted(json.dumps(body).encode())


def test_rows_of_several_requests_are_joined_and_parted() -> None:
    converted, request = arguments(FRAME)
    calls = [converted(request), converted(request)]

    together = joined(calls)

    assert together["x"].equals(pl.concat([FRAME, FRAME]))
    parts = parts_of(together["x"]["income"], [2, 2])
    assert parts is not None
    assert [part.to_list() for part in parts] == [[1.5, 2.0], [1.5, 2.0]]


def test_a_frame_travels_as_a_tensor_a_column() -> None:
    frame = FRAME.select("age", "income").drop_nulls()
    converted, _ = arguments(frame)
    inference = Inference(Model("m", "1"), converted)
    inputs = [
        {"name": "age", "shape": [1], "datatype": "INT16", "data": [40]},
        {"name": "income", "shape": [1], "datatype": "FP64", "data": [1.5]},
    ]
    asked = inference.read(json.dumps({"inputs": inputs}).encode(), 0)
    document, _ = asked.answer(frame)

    assert asked.arguments["x"].equals(frame)
    assert [(each["name"], each["datatype"], each["data"]) for each in json.loads(document)["outputs"]] == [
        ("age", "INT16", [40]),
        ("income", "FP64", [1.5]),
    ]


def test_what_is_collected_of_a_frame_is_its_rows() -> None:
    assert table_of(FRAME.select("age", "city"), None) == (["age", "city"], [[40, "Oslo"], [None, None]])


def png(image: Image.Image, form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


PICTURE = Image.linear_gradient("L").resize((8, 6))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_picture_reaches_run_in_the_mode_that_was_shown(mode: str) -> None:
    sample = PICTURE.convert(mode)
    converted, request = arguments(sample)

    got = converted(request)["x"]

    assert isinstance(got, Image.Image)
    assert (got.mode, got.size) == (mode, (8, 6))
    assert got.tobytes() == sample.tobytes()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_picture_of_any_usual_format_and_size_is_taken_as_bytes_too(form: str) -> None:
    converted, _ = arguments(PICTURE.convert("RGB"))
    large = PICTURE.resize((100, 50)).convert("L")

    got: Any = converted.of(png(large, form), RAW)["x"]

    assert (got.mode, got.size) == ("RGB", (100, 50))


BROKEN: list[Callable[[bytes], bytes]] = [
    lambda _: b"",
    lambda _: b"<svg/>",
    lambda data: data[: len(data) // 2],
    lambda data: data.replace(b"IDAT", b"IDAX"),
    lambda data: data[:40] + b"\xff" * 20 + data[60:],
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_no_picture_is_refused(broken: Callable[[bytes], bytes]) -> None:
    converted, _ = arguments(PICTURE)

    with pytest.raises(Refused, match="x: this is no picture"):
        converted.of(broken(png(PICTURE)), RAW)


def test_a_picture_that_unpacks_to_too_much_is_refused_unread() -> None:
    converted, _ = arguments(PICTURE)

    with pytest.raises(Refused, match="x: 9000 x 9000 pixels are more than"):
        converted.of(png(Image.new("1", (9000, 9000))), RAW)


def test_a_picture_as_a_result_is_a_png_in_base64() -> None:
    check = output_check(generate_schema(run, {"x": 1}, outputs=PICTURE))
    document = json_of(PICTURE)
    assert check is not None

    check(document)

    got = Image.open(io.BytesIO(base64.b64decode(json.loads(document))))
    assert got.tobytes() == PICTURE.tobytes()


def test_a_server_takes_a_photo_as_it_is_and_answers_with_a_frame(start: Start) -> None:
    seen = pl.DataFrame({"width": [1], "mode": pl.Series(["L"], dtype=pl.Enum(["L", "RGB"]))})
    score = "import polars\ndef run(x):\n    return polars.DataFrame({'width': [x.width], 'mode': [x.mode]})\n"
    service = start(score=score, schema=generate_schema(run, {"x": PICTURE}, outputs=seen))

    raw = service.ask(service.score_path, png(PICTURE.convert("RGB"), "JPEG"), content_type="image/jpeg")
    written = service.score(x=base64.b64encode(png(PICTURE)).decode())
    broken = service.ask(service.score_path, b"GIF89a", content_type="image/gif")

    assert raw.document == written.document == [{"width": 8, "mode": "L"}]
    assert (broken.status, broken.code) == (400, "argument_invalid")


def test_a_mode_without_a_png_is_refused() -> None:
    with pytest.raises(ValueError, match="mode CMYK is no PNG; convert it"):
        generate_schema(run, {"x": PICTURE.convert("CMYK")})
