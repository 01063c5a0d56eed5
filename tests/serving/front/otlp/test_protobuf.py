"""What is written is what Google's own reader reads."""

import struct

import pytest
from google.protobuf.internal.decoder import _DecodeVarint  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValueList
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint

from mmgit.serving.front.otlp import protobuf


@given(st.integers(0, 2**64 - 1))
def test_a_number_is_read_back(value: int) -> None:
    data = protobuf.varint(value)

    assert _DecodeVarint(data, 0) == (value, len(data))


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1) | st.integers(0, 2**62) | st.floats(allow_nan=False)))
)
def test_attributes_are_read_back(given_pairs: list[tuple[str, str | float]]) -> None:
    pairs = [(name.encode("utf-8", "replace").decode(), value) for name, value in given_pairs]

    message = KeyValueList.FromString(protobuf.attributes(1, pairs))

    found = [(each.key, getattr(each.value, str(each.value.WhichOneof("value")))) for each in message.values]
    assert found == [(name, v.encode("utf-8", "replace").decode() if isinstance(v, str) else v) for name, v in pairs]


@given(st.lists(st.integers(0, 2**64 - 1)), st.lists(st.floats(allow_nan=False)))
def test_repeated_numbers_are_read_back(counts: list[int], bounds: list[float]) -> None:
    data = protobuf.packed_fixed64(6, counts) + protobuf.packed_doubles(7, bounds)

    message = HistogramDataPoint.FromString(data)

    assert (list(message.bucket_counts), list(message.explicit_bounds)) == (counts, bounds)


def test_an_empty_text_is_no_attribute() -> None:
    assert protobuf.attributes(1, [("a", "")]) == b""


def test_a_number_that_is_too_large_is_an_error() -> None:
    with pytest.raises(struct.error):
        protobuf.fixed64(1, 2**64)
