"""Names and numbers as people type and read them: `churn/5` always with the word that says what it numbers."""

from collections.abc import Iterable, Sequence

from mmgit.blueprints.faults import meant
from mmgit.errors import UsageError
from mmgit.repository.source import DeclaredEnvironment, DeclaredManifest, DeclaredModel, DeclaredService, Source
from mmgit.resolve import listed
from mmgit.spec.fields import NAME


def checked_name(text: str, what: str) -> str:
    """`text` if it is a name for a `what`. Raises `UsageError`."""
    try:
        return NAME.checked(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no name for {what}: {error}") from error


def manifest_in_words(reference: str, models: Sequence[str]) -> str:
    """`manifest churn/5 (model churn/4)`."""
    return f"manifest {reference} (model{'s' * (len(models) > 1)} {', '.join(models)})"


def next_number(numbers: Iterable[int]) -> int:
    """The number after the highest."""
    return max(numbers, default=0) + 1


def newest(numbers: Iterable[int], model: str) -> str | None:
    """`<model>/<n>` of the highest number, if there is one."""
    highest = max(numbers, default=None)
    return None if highest is None else f"{model}/{highest}"


def model_of(source: Source, name: str) -> DeclaredModel:
    """The model `name`. Raises `UsageError`."""
    if name not in source.models:
        hint = f"mmgit model register {name} PATH   (declared models: {listed(source.models)})"
        raise UsageError(f"there is no model `{name}`", meant(name, source.models) + hint)
    return source.models[name]


def version_of(source: Source, reference: str) -> str:
    """`reference` if it is a declared model version. Raises `UsageError`."""
    model = model_of(source, reference.partition("/")[0])
    number = reference.partition("/")[2]
    if not number.isdecimal() or int(number) not in model.versions:
        raise UsageError(f"there is no model version `{reference}`", f"declared versions: {listed(model.versions)}")
    return reference


def manifest_of(source: Source, reference: str) -> DeclaredManifest:
    """Manifest `<model>/<n>`. Raises `UsageError`."""
    model = model_of(source, reference.partition("/")[0])
    number = reference.partition("/")[2]
    if not number.isdecimal() or int(number) not in model.manifests:
        none = f"mmgit manifest create {model.name}   makes the first one"
        hint = f"declared manifests of {model.name}: {listed(model.manifests)}" if model.manifests else none
        raise UsageError(f"there is no manifest `{reference}`", hint)
    return model.manifests[int(number)]


def environment_of(source: Source, name: str) -> DeclaredEnvironment:
    """The environment `name`. Raises `UsageError`."""
    if name not in source.environments:
        hint = f"mmgit env create {name} --target …   (declared environments: {listed(source.environments)})"
        raise UsageError(f"there is no environment `{name}`", meant(name, source.environments) + hint)
    return source.environments[name]


def service_of(source: Source, environment: str, name: str) -> DeclaredService:
    """The service `name` of an environment. Raises `UsageError`."""
    services = environment_of(source, environment).services
    found = next((service for service in services if service.name == name), None)
    if found is None:
        names = [service.name for service in services]
        hint = f"mmgit service create {name} --env {environment}   (services: {listed(names)})"
        raise UsageError(f"there is no service `{name}` in {environment}", meant(name, names) + hint)
    return found
