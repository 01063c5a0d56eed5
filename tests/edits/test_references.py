from collections.abc import Callable
from typing import Any, cast

import pytest

from mmgit.edits.references import (
    checked_name,
    environment_of,
    manifest_in_words,
    manifest_of,
    model_of,
    newest,
    next_number,
    service_of,
    version_of,
)
from mmgit.errors import UsageError
from mmgit.repository.source import Declared, DeclaredManifest, DeclaredModel, Source
from mmgit.spec import ManifestSpec, ModelSpec, ProjectSpec

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""


def test_both_numbers_are_always_spelled() -> None:
    assert manifest_in_words("churn/5", ["churn/4"]) == "manifest churn/5 (model churn/4)"
    assert manifest_in_words("churn/5", ["churn/4", "encoder/2"]) == "manifest churn/5 (models churn/4, encoder/2)"


def test_the_next_number_follows_the_highest_even_over_gaps() -> None:
    assert [next_number(numbers) for numbers in ([], [1], [1, 7, 3])] == [1, 2, 8]
    assert newest([1, 7, 3], "churn") == "churn/7"
    assert newest([], "churn") is None


@pytest.mark.parametrize("name", ["abc", "a-b", "0" * 32])
def test_good_names_come_back_as_they_are(name: str) -> None:
    assert checked_name(name, "a model") == name


def test_a_bad_name_is_repeated_with_the_rule() -> None:
    with pytest.raises(UsageError, match=r"'A b' is no name for a model: expected 3 to 32 lower-case letters"):
        checked_name("A b", "a model")


@pytest.mark.parametrize("reference", ["churn/2", "churn", "churn/0", "churn/-1", "churn/1x", "nothing/1"])
def test_a_version_that_is_not_declared_is_refused(edited: Callable[..., Edited], reference: str) -> None:
    with pytest.raises(UsageError, match="there is no model"):
        version_of(edited().source, reference)


def test_who_asks_for_a_manifest_that_is_not_there_is_told_which_are_or_how_to_make_one() -> None:
    spec = ModelSpec.read({"apiVersion": "mmgit.dev/v1", "kind": "Model"})
    made = DeclaredManifest("models/one/manifests/1/manifest.yaml", cast("ManifestSpec", None), (), {})
    models = {
        "none": DeclaredModel("models/none/model.yaml", spec, "none", {}, {}),
        "one": DeclaredModel("models/one/model.yaml", spec, "one", {}, {1: made}),
    }
    source = Source(cast("Declared[ProjectSpec]", None), models=models)
    hints = []

    for reference in ("none/1", "one/2"):
        with pytest.raises(UsageError) as caught:
            manifest_of(source, reference)
        hints.append(caught.value.hint)

    assert hints == ["mmgit manifest create none   makes the first one", "declared manifests of one: 1"]


def test_a_name_that_is_mistyped_is_told_the_one_that_was_meant(with_service: Edited) -> None:
    source = with_service.source
    [model], [environment] = source.models, source.environments
    [service] = source.environments[environment].services
    hints = []

    wrong: list[Callable[[], object]] = [
        lambda: model_of(source, f"{model}n"),
        lambda: environment_of(source, f"{environment}d"),
        lambda: service_of(source, environment, service.name[1:]),
        lambda: model_of(source, "quite-another"),
    ]
    for ask in wrong:
        with pytest.raises(UsageError) as caught:
            ask()
        hints.append(caught.value.hint.partition("   ")[0])

    assert hints == [
        f"did you mean `{model}`?",
        f"did you mean `{environment}`?",
        f"did you mean `{service.name}`?",
        "mmgit model register quite-another PATH",
    ]
