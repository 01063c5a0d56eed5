from collections.abc import Mapping
from typing import Any

import pytest

from mmgit.blueprints.compiling import compile_sheets
from mmgit.blueprints.directives import Sheet
from mmgit.blueprints.faults import BlueprintFault
from mmgit.blueprints.folders import BlueprintSpec, Folder, assemble, built_in

ASKED = ("environments/dev/services/churn.yaml", ("blueprint",))


def folder(name: str, spec: Mapping[str, Any], sheets: Mapping[str, Mapping[str, Any]]) -> Folder:
    path = f"blueprints/{name}"
    return Folder(
        path, BlueprintSpec.read(spec), {file: Sheet(f"{path}/{file}", tree) for file, tree in sheets.items()}
    )


BELOW = folder(
    "below",
    {"parameters": {"size": {"default": 1}, "kind-of": {"default": "x"}}},
    {"a.yaml": {"a": "below"}, "b.yaml": {"$use": "parts/p.yaml"}, "parts/p.yaml": {"b": "{{ parameters.size }}"}},
)
OWN = folder(
    "own", {"extends": "below", "parameters": {"size": {"default": 2}}}, {"a.yaml": {"a": "own"}, "c.yaml": {"c": 1}}
)
FOLDERS = {"below": BELOW, "own": OWN}


def test_a_blueprint_adds_and_replaces_single_objects_of_what_it_extends() -> None:
    whole = assemble("own", FOLDERS.get, ASKED, known=FOLDERS)

    objects = compile_sheets(whole.sheets)({"parameters": whole.parameters.values({}, "x")})

    assert objects == [{"a": "own"}, {"b": 2}, {"c": 1}]


def test_a_part_replaced_by_a_blueprint_is_used_by_what_it_extends() -> None:
    over = folder("over", {"extends": "own"}, {"parts/p.yaml": {"b": "over"}})

    whole = assemble("over", {**FOLDERS, "over": over}.get, ASKED, known=FOLDERS)

    assert {"b": "over"} in compile_sheets(whole.sheets)({})


def test_a_blueprint_that_is_not_there_is_an_error_where_it_is_asked_for() -> None:
    with pytest.raises(BlueprintFault, match="there is no blueprint `owm`") as caught:
        assemble("owm", FOLDERS.get, ASKED, known=FOLDERS)

    (finding,) = caught.value.findings
    assert (finding.code, finding.path, finding.keys) == ("M500", *ASKED)
    assert finding.hint == "did you mean `own`?   blueprints: below, own"


@pytest.mark.parametrize(
    ("extends", "message"),
    [("nothing", "there is no blueprint `nothing`"), ("own", "`own` extends itself: own -> own")],
)
def test_extends_of_nothing_or_in_a_circle_is_an_error_in_the_blueprint(extends: str, message: str) -> None:
    with pytest.raises(BlueprintFault, match=message) as caught:
        assemble("own", {"own": folder("own", {"extends": extends}, {})}.get, ASKED, known=FOLDERS)

    (finding,) = caught.value.findings
    assert (finding.code, finding.path, finding.keys) == ("M508", "blueprints/own/blueprint.yaml", ("extends",))


def test_the_built_in_blueprints_are_found() -> None:
    kubernetes = ["kubernetes/build", "kubernetes/default", "kubernetes/training"]
    assert sorted(built_in()) == ["compose/default", "iot-edge/default", *kubernetes, "ray/training"]
    assert {"blueprint.yaml", "deployment.yaml", "parts/spread.yaml"} <= built_in()["kubernetes/default"].keys()
