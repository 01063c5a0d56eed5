"""The layers of a manifest's own files: what changes with a model version, and what does not."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images.layers import LayerPlan
from mmgit.images.scoring import OWN_LAYER_BYTES, Open, facts_of, links_of, model_plans, scoring_plan
from mmgit.images.tar import Entry
from mmgit.recipe import Inputs, RecipeFile, RecipeModel

if TYPE_CHECKING:
    from tests.images.conftest import Kit

SCORE = b"def run(x): ..."


def entries(plan: LayerPlan) -> dict[str, Entry]:
    return {each.path: each for each in plan.entries(Path("unused"))}


def text(entry: Entry) -> str:
    return b"".join(entry.blocks()).decode()


def inputs(kit: "Kit", *models: RecipeModel, files: tuple[str, ...] = ("score.py",)) -> Inputs:
    listed = tuple(RecipeFile(path, kit.sha256(SCORE), len(SCORE)) for path in files)
    return Inputs("python", "3.11", "score.py", listed, models, schema="schema.json")


def model(name: str, *paths: str, sha256: str = "a" * 64, size_bytes: int = 1) -> RecipeModel:
    return RecipeModel(name, tuple(RecipeFile(path, sha256, size_bytes) for path in paths))


def opened(*paths: str) -> dict[str, Open]:
    return dict.fromkeys(paths, lambda: io.BytesIO(SCORE))


def test_the_scoring_layer_holds_files_documents_facts_and_links(kit: "Kit") -> None:
    made_of = inputs(kit, model("digits", "model.bin", "shards/1"), files=("score.py", "helpers/a.py"))

    found = entries(scoring_plan(made_of, opened("score.py", "helpers/a.py"), {"openapi.json": b"{}"}))

    assert text(found["srv/scoring/score.py"]) == SCORE.decode()
    assert text(found["srv/scoring/openapi.json"]) == "{}"
    assert found["srv/scoring/model.bin"].target == "models/digits/model.bin"
    assert found["srv/scoring/shards"].target == "models/digits/shards"
    assert json.loads(text(found["srv/mmgit.json"])) == {
        "runtime": "python",
        "scoring": "score.py",
        "models": {"digits": "models/digits"},
        "python": "3.11",
        "schema": "schema.json",
        "sample": None,
    }


def test_a_new_version_with_the_same_file_names_leaves_the_scoring_layer_as_it_was(kit: "Kit") -> None:
    old, new = inputs(kit, model("digits", "m")), inputs(kit, model("digits", "m", sha256="b" * 64, size_bytes=2))

    assert scoring_plan(old, {}, {}).key == scoring_plan(new, {}, {}).key
    assert model_plans(old.models, {})[0].key != model_plans(new.models, {})[0].key


def test_plain_names_that_clash_have_no_link(kit: "Kit") -> None:
    made_of = inputs(
        kit, model("digits", "model.bin", "score.py", "models/x", "own"), model("churn", "model.bin", "d/x")
    )

    assert links_of(made_of, ["score.py"]) == {"d": "models/churn/d", "own": "models/digits/own"}


def test_a_scoring_file_where_model_files_go_is_refused(kit: "Kit") -> None:
    with pytest.raises(BuildError, match=r"models/x\.py lies in models/"):
        scoring_plan(inputs(kit, files=("models/x.py",)), {}, {})


def test_a_document_changes_the_scoring_layer(kit: "Kit") -> None:
    made_of = inputs(kit)

    assert (
        scoring_plan(made_of, {}, {"openapi.json": b"1"}).key != scoring_plan(made_of, {}, {"openapi.json": b"2"}).key
    )


def test_large_model_files_have_a_layer_each_and_small_ones_share_the_last() -> None:
    large = model("llm", "1.bin", "2.bin", size_bytes=OWN_LAYER_BYTES)
    small = model("digits", "a", "b", size_bytes=OWN_LAYER_BYTES - 1)

    names = [("llm", "1.bin"), ("llm", "2.bin"), ("digits", "a"), ("digits", "b")]

    plans = model_plans([large, small], dict.fromkeys(names, io.BytesIO))

    assert [sorted(entries(plan)) for plan in plans] == [
        ["srv/scoring/models/llm/1.bin"],
        ["srv/scoring/models/llm/2.bin"],
        ["srv/scoring/models/digits/a", "srv/scoring/models/digits/b"],
    ]
    assert not any(plan.is_compressed for plan in plans)


def test_the_order_of_models_and_files_does_not_matter(kit: "Kit") -> None:
    one, other = model("a", "x", "y"), model("b", "z")
    swapped = [other, model("a", "y", "x")]

    assert [plan.key for plan in model_plans([one, other], {})] == [plan.key for plan in model_plans(swapped, {})]
    assert facts_of(inputs(kit, one)) == facts_of(inputs(kit, one))


def test_the_facts_name_the_python_of_a_conda_environment(kit: "Kit") -> None:
    facts = facts_of(replace(inputs(kit), conda="0" * 64))

    assert facts["interpreter"] == "/opt/dependencies/bin/python3.11"
    assert "interpreter" not in facts_of(inputs(kit))


@pytest.mark.parametrize("data", [b"def run(y): ...", b"short", SCORE + b"more"])
def test_bytes_that_are_not_declared_are_refused_while_they_are_read(kit: "Kit", data: bytes) -> None:
    plan = scoring_plan(inputs(kit), {"score.py": lambda: io.BytesIO(data)}, {})

    with pytest.raises(BuildError, match=r"score\.py has other bytes"):
        text(entries(plan)["srv/scoring/score.py"])


def test_no_models_make_no_layer() -> None:
    assert model_plans([], {}) == []
