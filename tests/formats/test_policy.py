"""What becomes of a model file is the strictest that is said of any format it may have."""

from typing import Any

import pytest

from mmgit.formats.policy import judged, judged_by_record, risk_of
from mmgit.formats.scanned import Scanned
from mmgit.spec import Refused
from mmgit.spec.model import ModelFile
from mmgit.spec.project import Format, Policies

HARMLESS, OWN, RUNS = "collections:OrderedDict", "features:LogIncome", "os:system"


ONNX: tuple[Format, ...] = ("onnx",)


def file(path: str = "model.onnx", **record: Any) -> ModelFile:
    return ModelFile.read({"path": path, "sha256": "a" * 64, "size": 7, **record})


@pytest.mark.parametrize(
    ("policies", "seen", "verdict", "kind"),
    [
        ({}, None, "taken", "onnx"),
        ({}, Scanned("onnx"), "taken", "onnx"),
        ({}, Scanned("pickle"), "told", "pickle"),
        ({}, Scanned("pickle", {RUNS: 1}), "dangerous", "pickle"),
        ({}, Scanned("pickle", doubts=("it breaks",)), "dangerous", "pickle"),
        ({"pickle": "warn"}, Scanned("pickle", {OWN: 1, HARMLESS: 2}), "told", "pickle"),
        ({"pickle": "allow"}, Scanned("pickle", {RUNS: 1}), "taken", "pickle"),
        ({"pickle": "refuse"}, Scanned("pickle"), "refused", "pickle"),
        ({"onnx": "refuse", "pickle": "allow"}, Scanned("pickle", {RUNS: 1}), "refused", "onnx"),
        ({"onnx": "allow"}, Scanned("pickle", {RUNS: 1}), "dangerous", "pickle"),
        ({"onnx": "warn"}, Scanned("onnx"), "told", "onnx"),
        ({}, Scanned("keras", {"keras.layers:Lambda": 0}), "dangerous", "keras"),
        ({"keras": "allow"}, Scanned("keras", {"keras.layers:Lambda": 0}), "taken", "keras"),
    ],
)
def test_a_file_is_judged_by_all_that_it_may_be(
    policies: dict[Format, str], seen: Scanned | None, verdict: str, kind: Format
) -> None:
    found = judged(Policies.read({"formats": policies}), ONNX, seen)

    assert (found.verdict, found.format) == (verdict, kind)


def test_a_record_is_judged_as_the_file_was() -> None:
    policies = Policies.read({})

    assert judged_by_record(policies, file()).verdict == "taken"
    assert judged_by_record(policies, file("old.joblib")).verdict == "told"
    assert judged_by_record(policies, file(format="pickle", imports=[RUNS])).verdict == "dangerous"
    assert judged_by_record(policies, file(format="pickle", unclear="it breaks")).verdict == "dangerous"


@pytest.mark.parametrize("record", [{"imports": [RUNS]}, {"unclear": "it breaks"}])
def test_what_a_file_imports_is_not_recorded_without_its_format(record: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="is recorded with its format"):
        file(**record)


def test_few_of_many_names_are_told() -> None:
    names = dict.fromkeys([f"features:F{number}" for number in range(9)], 0)

    found = judged(Policies.read({}), (), Scanned("pickle", names))

    assert "imports features:F0, features:F1" in str(found.risk)
    assert "features:F4 and 4 more, which mmgit does not know" in str(found.risk)


@pytest.mark.parametrize(
    ("names", "doubts", "remedy"),
    [
        ([], ["at byte 12, it ends in the middle"], "it is cut off: write or copy it again"),
        ([RUNS], ["at byte 12, it ends in the middle"], "load it nowhere"),
        ([], ["at byte 12, it ends in the middle", "it breaks"], "load it nowhere"),
        ([RUNS], [], "load it nowhere"),
    ],
)
def test_a_file_that_is_cut_off_is_copied_again_and_a_dangerous_one_is_not(
    names: list[str], doubts: list[str], remedy: str
) -> None:
    assert risk_of(names, doubts).remedy == remedy
