"""Recipes: the key changes with everything that an image is made of, and with nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.recipe import Foundation, Inputs, Recipe, RecipeFile, RecipeModel, key_of, newer_parts, recipe_key

A, B = RecipeFile("a.py", "a" * 64, 1), RecipeFile("b.py", "b" * 64, 2)
INPUTS = Inputs("python", "3.11", "a.py", (A, B), (RecipeModel("digits", (A,)), RecipeModel("churn", (B,))), "c" * 64)
FOUNDATION = Foundation(
    {"linux/amd64": "d" * 64, "linux/arm64": "e" * 64}, "f" * 64, "gzip", {"openapi.json": "0" * 64}
)
OTHER = RecipeFile("a.py", "1" * 64, 1)


@pytest.mark.parametrize(
    "changed",
    [
        replace(INPUTS, runtime="onnx"),
        replace(INPUTS, python="3.13"),
        replace(INPUTS, scoring="b.py"),
        replace(INPUTS, files=(A,)),
        replace(INPUTS, files=(OTHER, B)),
        replace(INPUTS, files=(RecipeFile("c.py", A.sha256, 1), B)),
        replace(INPUTS, models=INPUTS.models[:1]),
        replace(INPUTS, models=(RecipeModel("renamed", (A,)), INPUTS.models[1])),
        replace(INPUTS, dependencies=None),
        replace(INPUTS, schema="schema.json"),
        replace(INPUTS, sample="sample.json"),
        replace(INPUTS, outputs=("predict_proba",)),
        replace(INPUTS, conda="0" * 64),
        replace(INPUTS, trusted=("features.Log",)),
        replace(INPUTS, volume=True),
    ],
)
def test_each_input_changes_both_keys(changed: Inputs) -> None:
    assert changed.key != INPUTS.key
    assert Recipe(changed, FOUNDATION).key != Recipe(INPUTS, FOUNDATION).key


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        (replace(FOUNDATION, base={**FOUNDATION.base, "linux/arm64": "0" * 64}), "base"),
        (replace(FOUNDATION, base={"linux/amd64": "d" * 64}), "base"),
        (replace(FOUNDATION, serving="0" * 64), "serving"),
        (replace(FOUNDATION, codec="zstd"), "codec"),
        (replace(FOUNDATION, documents={}), "documents"),
    ],
)
def test_each_part_of_the_foundation_changes_the_recipe_and_not_the_inputs(changed: Foundation, part: str) -> None:
    recipe = Recipe(INPUTS, changed)

    assert recipe.key != Recipe(INPUTS, FOUNDATION).key
    assert recipe.inputs.key == INPUTS.key
    assert newer_parts(FOUNDATION, changed) == (part,)


@given(st.permutations(INPUTS.files), st.permutations(INPUTS.models), st.permutations(list(FOUNDATION.base.items())))
def test_no_order_changes_a_key(
    files: list[RecipeFile], models: list[RecipeModel], base: list[tuple[str, str]]
) -> None:
    inputs = replace(INPUTS, files=tuple(files), models=tuple(models))

    assert Recipe(inputs, replace(FOUNDATION, base=dict(base))).key == Recipe(INPUTS, FOUNDATION).key


def test_keys_do_not_change_between_releases_of_mmgit() -> None:
    assert Recipe(INPUTS, FOUNDATION).key == "787d7d3eaeb1eee82dc0046dad51ecc662787858b98de6ad8ecfff82da43d42d"
    assert INPUTS.key == "166cd08ac927997baaa5a5f0d87dcaf5166b444896fd701315fec978326339b9"


def test_a_recipe_is_the_key_over_its_two_parts() -> None:
    assert Recipe(INPUTS, FOUNDATION).key == recipe_key(INPUTS.key, FOUNDATION)


def test_the_same_foundation_has_no_newer_part() -> None:
    assert newer_parts(FOUNDATION, replace(FOUNDATION)) == ()


def test_names_and_contents_cannot_trade_places() -> None:
    assert key_of({"a": "b"}) != key_of({"b": "a"})
    assert key_of(["a", "bc"]) != key_of(["ab", "c"])


def test_what_json_cannot_say_has_no_key() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        key_of(float("nan"))
