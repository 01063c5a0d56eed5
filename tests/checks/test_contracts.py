"""A service that is given another manifest, and its clients."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mmgit import pipeline
from mmgit.deliver.baseline import Surroundings
from mmgit.repository.files import Root

HEADER = "apiVersion: mmgit.dev/v1\n"
MANIFEST = HEADER + 'kind: Manifest\npython: "3.11"\nmodels: [churn/1]\nschema: schema.json\n'
FOLDER = "environments/dev/services"

Write = Callable[..., Path]
Found = Callable[..., list[str]]


def pinned(reference: str) -> bytes:
    return f"{HEADER}kind: Service\nmanifest: {reference}\nimage: sha256:{'a' * 64}\n".encode()


def manifest(number: int, schema: Mapping[str, object]) -> dict[str, str]:
    folder = f"models/churn/manifests/{number}"
    return {
        f"{folder}/manifest.yaml": MANIFEST,
        f"{folder}/schema.json": json.dumps(schema),
        f"{folder}/score.py": "def run():\n    return 1\n",
    }


@pytest.fixture
def found(repository: Write) -> Found:
    """What is said of service `name`, which ran churn/2 and shall run churn/3, about its contract."""

    def check(candidate: Mapping[str, object], name: str = "churn", **further: str | None) -> list[str]:
        path = f"{FOLDER}/{name}.yaml"
        files = {f"{FOLDER}/churn.yaml": None, path: f"{HEADER}kind: Service\nnext: churn/3\n"}
        changed = {f"models/churn/manifests/{file}": text for file, text in further.items()}
        root = Root(repository({**files, **manifest(2, {}), **manifest(3, candidate), **changed}))
        former: dict[str, bytes | None] = {path: pinned("churn/2")}
        problems = pipeline.check(root, Surroundings(former_of=lambda _, __: former)).problems
        return [f"{each.message}\n{each.hint}" for each in problems if each.code in {"M351", "M352"}]

    return check


def test_only_the_first_fields_are_named(found: Found) -> None:
    (problem,) = found({"required": list("abcdefgh")})

    assert "input.a is new and required; input.b" in problem
    assert "input.e is new and required; and 3 more" in problem
    assert "input.f" not in problem


@pytest.mark.parametrize(
    ("name", "major"),
    [
        ("churn", "churn-v2"),
        ("churn-v2", "churn-v3"),
        ("churn-v9", "churn-v10"),
        ("c" * 29 + "-up", "c" * 29 + "-v2"),
        ("c" * 32, "c" * 29 + "-v2"),
    ],
)
def test_the_hint_names_the_service_of_the_next_major(found: Found, name: str, major: str) -> None:
    (problem,) = found({"required": ["a"]}, name)

    assert f"mmgit service create {major} --env dev --manifest churn/3 " in problem


def test_a_compatible_contract_is_not_worth_a_word(found: Found) -> None:
    assert found({"title": "anything"}) == []
    assert found({"x-mmgit": {"output": {"type": "number"}}}) == []


def test_a_schema_that_is_not_there_is_left_to_another_check(found: Found) -> None:
    assert found({"required": ["a"]}, **{"3/schema.json": None}) == []


def test_a_manifest_without_a_schema_says_nothing_of_its_clients(found: Found) -> None:
    files = {"2/manifest.yaml": MANIFEST.replace("schema: schema.json\n", ""), "2/schema.json": None}

    (problem,) = found({"required": ["a"]}, **files)

    assert "there is no schema.json of what runs; " in problem
