"""With and without orjson the same bodies are refused for the same reason, and the same values come out."""

import dataclasses
import datetime as dt
import enum
import gc
import json
import uuid
import venv
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmgit.serving.scorer.native_json import UNSURE, NativeJson, native_json
from mmgit.serving.scorer.results import ResultError, documents_of, json_of
from mmgit.serving.scorer.strict_json import Refused, parse
from tests.serving.conftest import ORJSON, Start, interpreter_of, until

NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
TEXTS = st.one_of(
    st.text(max_size=8).map(json.dumps),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(['"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"a:b"', '"\\u0000"', '"\x01"', '"\\q"']),
)
NAMES = st.sampled_from(['"a"', '"b"', '"a:b"', '"\\u0061"', '""'])
LEAVES = st.one_of(NUMBERS, TEXTS, st.sampled_from(["null", "true", "NaN", "-Infinity", "1e999", "01", "-", "\ufeff1"]))
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(NAMES, inner), max_size=4).map(
            lambda pairs: "{" + ",".join(f"{name}: {value}" for name, value in pairs) + "}"
        ),
    ),
    max_leaves=12,
)
BODIES = st.one_of(DOCUMENTS.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=20))


@pytest.fixture(autouse=True)
def unloaded() -> Iterator[None]:
    yield
    native_json.unload()


def both(do: Callable[[], object]) -> tuple[object, object]:
    """What comes out with orjson and without: a value as text, which tells 0.0 from -0.0 and 1 from 1.0, or a code."""

    def outcome() -> object:
        try:
            return repr(do())
        except Refused as refused:
            return refused.code, refused.message
        except ResultError as error:
            return error.code, str(error)

    assert native_json.load(ORJSON) == ""
    with_it = outcome()
    native_json.unload()
    return with_it, outcome()


@settings(max_examples=600, deadline=None)
@given(BODIES)
@example(b'{"a": 1, "a": 2}')
@example(b'{"a": {"b": 1, "b": 2}, "c": ":"}')
@example(b'[{"a": 1, "a": "x:"}]')
@example(b"18446744073709551616")
@example(b"-9223372036854775809")
@example(b"-0")
@example(b"[-0.0, 1e-999, 5e-324]")
@example(b'{"x": 1} ')
@example(b"[" * 101 + b"]" * 101)
@example(b"[" * 100 + b"]" * 100)
@example(b'"\xff"')
def test_a_body_has_the_same_verdict_and_value_with_and_without(body: bytes) -> None:
    with_it, without = both(lambda: parse(body))

    assert with_it == without


class Colour(enum.Enum):
    RED = "red"
    MANY = (1, 2.5)


class Level(enum.IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int


@dataclasses.dataclass
class Record:
    x: int


RESULTS = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=6),
        st.binary(max_size=6),
        st.dates(),
        st.datetimes(),
        st.times(),
        st.uuids(),
        st.sampled_from([*Colour, *Level, Point(1), Record(1), object(), np.float32(0.5), np.int8(3), "\ud800"]),
        st.lists(st.floats(), max_size=3).map(np.array),
        st.lists(st.integers(0, 9), max_size=3).map(np.array),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers(), st.none()), inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3).map(OrderedDict),
    ),
    max_leaves=8,
)


@settings(max_examples=600, deadline=None)
@given(RESULTS)
@example(float("nan"))
@example([1, float("inf")])
@example({"a": None})
@example({1: "a", "1": "b"})
@example(2**80)
@example(1e-5)
@example("ü")
@example(uuid.UUID(int=1))
@example(dt.datetime(2026, 2, 28, tzinfo=dt.UTC))
def test_a_result_has_the_same_verdict_and_value_with_and_without(result: Any) -> None:
    with_it, without = both(lambda: json.loads(json_of(result)))

    assert with_it == without


def test_a_value_that_contains_itself_is_refused_either_way() -> None:
    circle: list[Any] = []
    circle.append(circle)

    with_it, without = both(lambda: json_of(circle))

    assert with_it == without


PIECES = st.sampled_from(
    [
        *(
            b'{"a": 1}',
            b'{"a": 1},{"a": 2}',
            b'{"a":"',
            b'"}',
            b'"},{"a": 1},{"a": 1}',
            b"1],[2",
            b"]",
            b"[",
            b"",
            b" ",
        ),
        *(b'{"a": 1}\n', b'{"a": 1, "a": 1}', b'{"a": ":"}', b'{"a": {"b": 1}}', b'{"a": [1, {"b": 2}]}', b'{"a": 1},'),
        *(b',{"a": 1}', b'{"a": [', b"1]}", b'{"a"', b": 1}", b'{"a": "\\', b'\\"}', b'{"a": "\xc3', b'\xa9"}', b"{}"),
    ]
)
"""What may become something else beside others."""


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(st.one_of(PIECES, PIECES, DOCUMENTS.map(lambda text: b'{"x": %b}' % text.encode()), BODIES), min_size=1)
)
@example([b'{"a": 1},{"a": 1}', b"", b""])
@example([b'{"a":"', b"1", b'"},{"a": 1},{"a": 1}'])
def test_documents_that_are_read_at_once_are_what_each_is_alone(bodies: list[bytes]) -> None:
    native_json.load(ORJSON)

    found = native_json.objects_of(bodies)

    assert found is None or repr(found) == repr([parse(body) for body in bodies])


@pytest.mark.parametrize("size", [1, 2, 32])
def test_usual_objects_are_read_and_written_at_once(size: int) -> None:
    native_json.load(ORJSON)
    objects = [{"x": [[number, 3.5]], "y": [True]} for number in range(size)]
    bodies = [json.dumps(each).encode() for each in objects]

    assert native_json.objects_of(bodies) == objects
    assert documents_of(objects) == [json_of(each) for each in objects]


@settings(max_examples=600, deadline=None)
@given(st.lists(RESULTS, min_size=1, max_size=5))
def test_results_that_are_written_at_once_are_written_as_each_is_alone(results: list[Any]) -> None:
    native_json.load(ORJSON)

    found = documents_of(results)

    assert found is None or found == [json_of(result) for result in results]


@pytest.mark.parametrize("error", [TypeError, ValueError, SystemExit])
def test_a_result_that_raises_is_left_to_be_written_alone(error: type[BaseException]) -> None:
    class Raising:
        def tolist(self) -> list[int]:
            raise error

    native_json.load(ORJSON)

    assert documents_of([1, Raising()]) is None


@pytest.mark.parametrize(
    "body", [b'{"x": [[5.1, 3.5, 1.4, 0.2]]}', b'{"rows": [{"a": 1, "b": "c"}, {"a": 2, "b": null}]}', b"[1.5]", b'"a"']
)
def test_usual_bodies_take_the_fast_way(body: bytes) -> None:
    native_json.load(ORJSON)

    assert native_json.value_of(body) == json.loads(body)


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 2}', b'[{"a": 1, "a": 1}]', b'{"a": "b:c"}', b"[12345678901234567890]"]
)
def test_bodies_that_orjson_may_be_wrong_about_do_not(body: bytes) -> None:
    native_json.load(ORJSON)

    assert native_json.value_of(body) is UNSURE


def test_orjson_stays_whole_as_long_as_its_functions_are_used() -> None:
    assert native_json.load(ORJSON) == ""
    gc.collect()

    names = [each.__name__ for each in gc.get_objects() if isinstance(each, ModuleType)]

    assert "_mmgit_scorer.orjson" in names


def test_a_folder_without_a_wheel_for_this_interpreter_leaves_all_to_the_standard_library(tmp_path: Path) -> None:
    native = NativeJson()

    lack = native.load(str(tmp_path))

    assert lack == f"{tmp_path} has none for this interpreter"
    assert native.value_of(b"1") is UNSURE
    assert native.document_of(1, repr) is None


def test_a_broken_wheel_is_told_and_not_used(tmp_path: Path) -> None:
    [wheel] = Path(ORJSON, "orjson").glob("*.so")
    (tmp_path / "orjson").mkdir()
    (tmp_path / "orjson" / wheel.name).write_bytes(b"no library")
    native = NativeJson()

    assert native.load(str(tmp_path)).startswith(f"{wheel.name}: ")
    assert native.value_of(b"1") is UNSURE


LOOKS = """
import sys

def run(x):
    try:
        import orjson
    except ModuleNotFoundError:
        return [None, sorted(name for name in sys.modules if "orjson" in name)]
    return [getattr(orjson, "__version__", "mine"), []]
"""


def test_the_users_environment_has_no_orjson_of_ours(start: Start, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare")
    service = start(score=LOOKS, interpreter=str(tmp_path / "bare" / "bin" / "python"))

    assert service.score(x=1).document == [None, []]
    assert not service.logged("json_by_standard_library")


def test_the_users_own_orjson_is_what_they_import(start: Start) -> None:
    service = start(score=LOOKS, files={"orjson.py": "dumps = 7"})

    assert service.score(x=1).document == ["mine", []]


def test_the_same_wheel_in_the_users_environment_works_beside_ours(start: Start) -> None:
    score = "import orjson\n\ndef run(x):\n    return [orjson.loads(orjson.dumps(x)), orjson.__version__]\n"

    assert start(score=score).score(x={"a": [1.5]}).document == [{"a": [1.5]}, orjson.__version__]


def test_a_service_without_a_wheel_says_so_in_its_log_and_serves(start: Start, tmp_path: Path) -> None:
    service = start(scorer_packages=str(tmp_path))

    assert service.score(x=[1.5]).document == [1.5]
    [line] = until(lambda: service.logged("json_by_standard_library"))
    assert line["message"] == f"orjson is not used: {tmp_path} has none for this interpreter"


@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.12", "3.13"])
def test_another_interpreter_falls_back_and_answers_the_same(start: Start, minor: str) -> None:
    service = start(interpreter=interpreter_of(minor))

    assert service.score(x={"a": [1.5, "ü", None]}).document == {"a": [1.5, "ü", None]}
    assert until(lambda: service.logged("json_by_standard_library"))
