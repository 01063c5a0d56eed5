"""Environments: what each is, what a promotion into it needs, and its services."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmgit.portal import paths
from mmgit.portal.contents import Contents
from mmgit.portal.frame import Here, Page, badge, code, day, described, facts, filter_of, listed, section, table
from mmgit.portal.html import Node, el
from mmgit.repository.source import DeclaredEnvironment, DeclaredService

MATRIX = ("services.html", "Services")


def pages(contents: Contents) -> Iterator[Page]:
    """The matrix of services and environments, and a page of each environment."""
    yield _matrix(contents)
    for environment in contents.source.environments.values():
        yield _environment(contents, environment)


def since(contents: Contents, service: DeclaredService) -> Node:
    """Since when a service runs what it runs, as git has it."""
    pins = contents.pins.get(service.path)
    if service.spec.image and pins and pins[0].image == service.spec.image:
        return day(pins[0].time)
    return "not committed yet" if service.spec.image else None


def marks(service: DeclaredService) -> list[Node]:
    """What is to come, and what holds a service back."""
    found: list[Node] = []
    if service.spec.next:
        found.append(badge(f"next {service.spec.next}", "next"))
    if service.spec.hold:
        found.append(badge("held", "held"))
    return [part for mark in found for part in (" ", mark)]


def _matrix(contents: Contents) -> Page:
    here, environments = Here(MATRIX[0]), contents.source.environments
    declared = {(each.name, service.name): (each, service) for each, service in contents.services}
    names = sorted({service.name for _, service in contents.services})
    groups = {service.name: service.group for _, service in contents.services}
    rows = (
        (name, groups[name], *(_cell(here, contents, declared.get((each, name))) for each in environments))
        for name in names
    )
    shown = table("Services by environment", ("Service", "Group", *environments), rows, "matrix")
    links = listed(here.to(paths.environment(name), name) for name in environments)
    main = (
        el("h1", "Services"),
        el("p", "What runs where: the manifest, and since when. Environments: ", links, ".", class_="lead"),
        filter_of("matrix", "Find a service") if names else None,
        shown if names else el("p", "None is declared."),
    )
    return Page(*MATRIX, main)


def _cell(here: Here, contents: Contents, found: tuple[DeclaredEnvironment, DeclaredService] | None) -> Node:
    if found is None:
        return None
    environment, service = found
    runs = paths.to_service(here, environment, service, service.spec.manifest or "nothing yet")
    when = since(contents, service)
    return [runs, *marks(service), el("small", when) if when else None]


def _environment(contents: Contents, environment: DeclaredEnvironment) -> Page:
    path, spec = paths.environment(environment.name), environment.spec
    here = Here(path)
    about = facts(
        (
            ("Target", spec.target),
            ("Host", code(spec.host)),
            ("Namespace", code(spec.namespace)),
            ("Registry", code(spec.registry)),
            ("Kubernetes", listed(spec.kubernetes.versions) if spec.target == "kubernetes" else None),
            ("Pins move by", "build" if spec.accepts == "build" else "promotion"),
            ("Declared in", code(environment.path)),
        )
    )
    rows = (
        (
            described(paths.to_service(here, environment, service, service.name), service.spec.description),
            service.group,
            [paths.to_manifest(here, contents.source, service.spec.manifest), *marks(service)],
            since(contents, service),
        )
        for service in environment.services
    )
    services = table("Services", ("Service", "Group", "Runs", "Since"), rows)
    gates = spec.promotion.plain(only_given=True) if spec.promotion else {}
    main = (
        el("h1", environment.name, " ", badge("environment")),
        el("p", spec.description, class_="lead") if spec.description else None,
        about,
        section("What a promotion needs", facts(_flat(gates))) if gates else None,
        section("Services", services if environment.services else el("p", "None is declared.")),
    )
    return Page(path, environment.name, main, (MATRIX,))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Declared fields by their path."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _plain(value)


def _plain(value: Any) -> str:  # noqa: ANN401 - as declared
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(item)}" for key, item in value.items())
    return "; ".join(map(_plain, value)) if isinstance(value, list | tuple) else str(value)
