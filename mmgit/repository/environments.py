"""Reads environments, and their services: all of them, or those that are asked for."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from mmgit.errors import Finding
from mmgit.repository import layout
from mmgit.repository.files import Files
from mmgit.repository.reader import NAME, NAME_HINT, Reader
from mmgit.repository.source import Declared, DeclaredEnvironment, DeclaredService
from mmgit.spec import EnvironmentSpec, EvidenceSpec, ServiceSpec

_SUFFIX = ".yaml"


def read_environments(
    reader: Reader, selected: Collection[str] | None = None
) -> Iterator[tuple[str, DeclaredEnvironment]]:
    """The environments, by name, with their services, or those of `selected` (paths) that are there."""
    wanted = None if selected is None else _by_folder(selected)
    for name in reader.folders(layout.ENVIRONMENTS, NAME, NAME_HINT):
        path = layout.environment(name)
        if not reader.root.exists(path):
            message = f"environment `{name}` has no environment.yaml"
            reader.findings.append(Finding("M121", path, (), message, f"mmgit env create {name} --target kubernetes"))
            continue
        declared = reader.declared(path, EnvironmentSpec)
        services = tuple(_services(reader, name, wanted))
        evidence = dict(_evidence(reader, name, services))
        sealed = dict(_sealed(reader, name))
        if declared:
            yield name, DeclaredEnvironment(path, declared.spec, name, services, evidence, sealed)


def service_paths(root: Files, environment: str) -> list[str]:
    """The path of whatever lies where services are declared, by group and name. Nothing is read."""
    folder = layout.services_folder(environment)
    groups = {group: f"{folder}/{group}" for group in root.folders(folder)} | {layout.DEFAULT_GROUP: folder}
    return [f"{below}/{name}" for _, below in sorted(groups.items()) for name in root.files(below)]


def _by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        found.setdefault(folder, []).append(name)
    return found


def _services(
    reader: Reader, environment: str, wanted: Mapping[str, Collection[str]] | None
) -> Iterator[DeclaredService]:
    """The services of an environment, by group and name; the same name in two groups is a problem."""
    seen: dict[str, str] = {}
    for group, folder in sorted(_groups(reader, environment, wanted)):
        names = None if wanted is None else wanted[folder]
        for file_name, data in reader.folder_data(folder, names).items():
            name, path = reader.stem(folder, file_name, _SUFFIX), f"{folder}/{file_name}"
            if name is None:
                continue
            if name in seen:
                message = f"service `{name}` is also declared in {seen[name]}"
                reader.findings.append(Finding("M124", path, (), message, "give one of them another name"))
            seen.setdefault(name, path)
            if spec := reader.spec(path, data, ServiceSpec):
                yield DeclaredService(path, spec, group, name)


def _groups(
    reader: Reader, environment: str, wanted: Mapping[str, Collection[str]] | None
) -> Iterator[tuple[str, str]]:
    """The groups of an environment, or those of `wanted`, with their folders."""
    top = layout.services_folder(environment)
    below = reader.folders(top, NAME, NAME_HINT, files_too=True)
    for folder in wanted if wanted is not None else (top, *(f"{top}/{group}" for group in below)):
        if folder == top:
            yield layout.DEFAULT_GROUP, top
        elif folder == f"{top}/{layout.DEFAULT_GROUP}":
            message = f"the services of group `{layout.DEFAULT_GROUP}` lie in {top} itself"
            reader.findings.append(Finding("M122", folder, (), message, f"git mv {folder}/* {top}/"))
        elif folder.startswith(f"{top}/"):
            yield folder.removeprefix(f"{top}/"), folder


def _evidence(
    reader: Reader, environment: str, services: tuple[DeclaredService, ...]
) -> Iterator[tuple[str, Declared[EvidenceSpec]]]:
    """What was seen of the services that were read, by name. What is left of services that are gone is not read."""
    groups = reader.root.folders(layout.evidence_folder(environment))
    for service in services if groups else ():
        path = layout.evidence(environment, service.group, service.name)
        if reader.root.exists(path) and (found := reader.declared(path, EvidenceSpec)):
            yield service.name, found


def _sealed(reader: Reader, environment: str) -> Iterator[tuple[str, str]]:
    """The encrypted Secrets of an environment, by name."""
    folder = layout.secrets_folder(environment)
    for name in reader.root.files(folder):
        if stem := reader.stem(folder, name, layout.SEALED):
            yield stem, f"{folder}/{name}"
