import copy
import json

from hypothesis import given
from hypothesis import strategies as st

from mmgit.serving.scorer.redaction import redacted, redacted_rows

NAMES = frozenset({"ssn", "name"})
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["ssn", "name", "x", "SSN"]), inner, max_size=3)
    ),
    max_leaves=20,
)


def holds(value: object) -> bool:
    """Whether something is in a field that should be empty."""
    if isinstance(value, dict):
        return any((key in NAMES and inner is not None) or holds(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(holds, value))


@given(JSON)
def test_no_field_of_these_names_is_left_at_any_depth_and_the_value_is_as_it_was(value: object) -> None:
    before = copy.deepcopy(value)

    found = redacted(value, NAMES)

    assert not holds(found)
    assert value == before


@given(JSON)
def test_everything_else_stays(value: object) -> None:
    assert redacted(value, {"not there"}) == value


def test_a_frame_of_objects_keeps_its_other_columns() -> None:
    rows = [{"age": 1, "ssn": "078-05-1120"}, {"age": 2, "ssn": {"deep": 1}}]

    assert redacted({"frame": rows}, NAMES) == {"frame": [{"age": 1, "ssn": None}, {"age": 2, "ssn": None}]}


def test_a_table_loses_the_cells_of_its_columns_and_fields_within_cells() -> None:
    rows = [[1, "078-05-1120", {"name": "Ada", "x": 1}]]

    assert redacted_rows(["age", "ssn", "more"], rows, NAMES) == [[1, None, {"name": None, "x": 1}]]
    assert "Ada" in json.dumps(rows)
