import pytest

from mmgit.edits.declaring import edited_file, new_file
from mmgit.errors import UsageError
from mmgit.spec import EnvironmentSpec, ServiceSpec

PATH = "environments/dev/services/churn.yaml"
SERVICE = b"# ours\napiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\nqueue: 5  # measured\n"


def test_a_new_file_begins_with_its_kind_and_leaves_out_what_is_empty() -> None:
    data = new_file(PATH, ServiceSpec, {"description": "", "next": "churn/1", "keys": [], "variables": {}, "cpu": None})

    assert data == b"apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\n"


def test_zero_and_false_are_not_empty() -> None:
    assert b"queue: 0\n" in new_file(PATH, ServiceSpec, {"next": "churn/1", "queue": 0})


def test_a_new_field_stands_where_the_order_puts_it() -> None:
    data = edited_file(PATH, ServiceSpec, SERVICE, fields={"cpu": "2"}, order=("next", "cpu", "queue"))

    assert data.decode().splitlines()[3:] == ["next: churn/1", 'cpu: "2"', "queue: 5  # measured"]


def test_a_refused_value_names_the_file_the_field_and_the_reason() -> None:
    with pytest.raises(UsageError) as refused:
        edited_file(PATH, ServiceSpec, SERVICE, fields={"cpu": "much"}, order=("next", "cpu"))

    assert refused.value.message == f"{PATH}: `cpu` is 'much'"
    assert refused.value.hint == "expected processors, like 500m or 2"


def test_a_rule_over_several_fields_is_checked_too() -> None:
    with pytest.raises(UsageError, match="target compose needs registry"):
        new_file("environments/dev/environment.yaml", EnvironmentSpec, {"target": "compose"})


def test_a_file_that_cannot_be_read_is_named_with_the_place() -> None:
    with pytest.raises(UsageError, match=rf"{PATH}:2:1: "):
        edited_file(PATH, ServiceSpec, b"a: 1\n- b\n", fields={"cpu": "2"}, order=("cpu",))
