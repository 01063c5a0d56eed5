"""Reads all declared files below a root and says, at once, everything that is wrong with their shape.

A `Root` comes in; the `Source` and the problems come out. Nothing is executed, nothing outside the root is opened,
no reference is followed: what the files mean together is for `resolve` and `checks`.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeVar

from mmgit.errors import Finding, Problem, UsageError
from mmgit.frozen import dataclass
from mmgit.repository import layout, problems, reading
from mmgit.repository.files import Files
from mmgit.repository.source import (
    Declared,
    DeclaredEnvironment,
    DeclaredManifest,
    DeclaredModel,
    DeclaredService,
    DeclaredVersion,
    Source,
)
from mmgit.repository.subset import Fault
from mmgit.spec import (
    BaseSpec,
    EnvironmentSpec,
    EvidenceSpec,
    ImageSpec,
    ManifestSpec,
    ModelSpec,
    ProjectSpec,
    Refused,
    ServiceSpec,
    Spec,
    VersionSpec,
)

S = TypeVar("S", bound=Spec)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]")
_NUMBERED_KINDS = ("versions", "manifests")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_NEW_MODEL = "printf 'apiVersion: mmgit.dev/v1\\nkind: Model\\n' > "
_NAME_HINT = "names have 3 to 32 lower-case letters, digits and '-', with a letter or digit at both ends"


@dataclass(frozen=True)
class Loaded:
    """What was read. `source` is None only when there is no readable `mmgit.yaml`."""

    source: Source | None
    problems: tuple[Problem, ...]


def load(root: Files, services: Collection[str] | None = None, whole: Collection[str] = ()) -> Loaded:
    """All declared files below `root`. Raises `UsageError` if this is no mmgit repository.

    With `services` (paths of service files) only these services are read, and of the models what they run, and those in
    `whole`: `<model>` with all its versions and manifests, `<model>/versions/<n>`, `<model>/manifests/<n>`.
    """
    if not root.exists(layout.PROJECT):
        raise UsageError(f"there is no {layout.PROJECT} in {root.path}", "mmgit new .   makes a repository here")
    reader = _Reader(root, services)
    project = reader.declared(layout.PROJECT, ProjectSpec)
    bases = dict(reader.bases())
    environments = dict(reader.environments())
    proxy = reader.declared(layout.PROXY_IMAGE, ImageSpec) if root.exists(layout.PROXY_IMAGE) else None
    blueprints = reader.blueprints()
    models = dict(reader.models() if services is None else reader.models_of(environments.values(), whole))
    found = (*reader.problems, *problems.locate(reader.findings, root.read))
    ordered = tuple(sorted(found, key=lambda problem: (problem.place, problem.code)))
    return Loaded(Source(project, bases, models, environments, proxy, blueprints) if project else None, ordered)


class _Reader:
    """Collects problems while it reads."""

    def __init__(self, root: Files, services: Collection[str] | None) -> None:
        self.root = root
        self.selected = services
        self.problems: list[Problem] = []
        self.findings: list[Finding] = []

    def declared(self, path: str, spec: type[S]) -> Declared[S] | None:
        """The file at `path`, or None with its problems noted."""
        data = self.data(path)
        value = self.spec(path, data, spec) if data is not None else None
        return Declared(path, value) if value else None

    def data(self, path: str) -> bytes | None:
        """The bytes of a file; one that is too large is a problem."""
        try:
            return self.root.read(path, reading.MAX_BYTES)
        except UsageError:
            if not self.root.exists(path):
                raise
            self.problems.append(problems.problem_of_fault(path, reading.too_large()))
            return None

    def folder_data(self, folder: str) -> dict[str, bytes]:
        """Name -> bytes of every file right in a folder, but for those that are too large."""
        try:
            return self.root.read_folder(folder, reading.MAX_BYTES)
        except UsageError:
            found = ((name, self.data(f"{folder}/{name}")) for name in self.root.files(folder))
            return {name: data for name, data in found if data is not None}

    def spec(self, path: str, data: bytes, spec: type[S]) -> S | None:
        """`data` as a `spec`, or None with its problems noted."""
        made: S | None = None
        try:
            made = _read(spec, data)  # type: ignore[arg-type]  # a class is hashable, whatever its values are
        except Fault as fault:
            self.problems.append(problems.problem_of_fault(path, fault))
        except Refused as error:
            self.findings += problems.findings_of_refusal(path, spec, error)
        return made

    def bases(self) -> Iterator[tuple[str, Declared[BaseSpec]]]:
        """The locks of bases, by name."""
        for name in self.root.files(layout.BASES):
            if f"{layout.BASES}/{name}" == layout.PROXY_IMAGE:
                continue
            stem = self.stem(layout.BASES, name, ".lock.yaml")
            if stem and (base := self.declared(layout.base(stem), BaseSpec)):
                yield stem, base

    def blueprints(self) -> dict[str, dict[str, str]]:
        """The team's own blueprints: every folder that holds a `blueprint.yaml`. A file is of the innermost one."""
        paths = [path for path in self.root.walk(layout.BLUEPRINTS) if path.endswith(".yaml")]
        names = [path.removesuffix(f"/{layout.BLUEPRINT}") for path in paths if path.endswith(f"/{layout.BLUEPRINT}")]
        found: dict[str, dict[str, str]] = {name: {} for name in names}
        lost: set[str] = set()
        for path in paths:
            if around := [name for name in names if path.startswith(f"{name}/")]:
                name = max(around, key=len)
                found[name][path.removeprefix(f"{name}/")] = self.text(f"{layout.BLUEPRINTS}/{path}")
            else:
                lost.add(path.partition("/")[0])
        for name in sorted(lost):
            self.findings.append(_no_blueprint(f"{layout.BLUEPRINTS}/{name}"))
        return found

    def text(self, path: str) -> str:
        """A file as text; what is not UTF-8, or holds a key, is a problem."""
        data = self.data(path) or b""
        try:
            reading.refuse_tokens(data)
            return data.decode()
        except Fault as fault:
            self.problems.append(problems.problem_of_fault(path, fault))
            return ""
        except UnicodeDecodeError:
            self.findings.append(Finding("M102", path, (), "not UTF-8 text", "save the file as UTF-8"))
            return ""

    def models(self, wanted: Collection[str] | None = None) -> Iterator[tuple[str, DeclaredModel]]:
        """The models, or those that are wanted, by name, with all their versions and manifests."""
        for name in self.folders(layout.MODELS, _NAME, _NAME_HINT):
            if wanted is not None and name not in wanted:
                continue
            folder = f"{layout.MODELS}/{name}"
            versions = self.versions(name, self.numbers(f"{folder}/versions"))
            manifests = self.manifests(name, self.numbers(f"{folder}/manifests"))
            if declared := self.model(name, dict(versions), dict(manifests)):
                yield name, declared

    def models_of(
        self, environments: Iterable[DeclaredEnvironment], whole: Collection[str]
    ) -> Iterator[tuple[str, DeclaredModel]]:
        """The models, by name, with only what the services of `environments` run, and those in `whole`."""
        parts = [each.split("/") for each in whole if "/" in each]
        if len(parts) < len(whole):
            yield from self.models(whole)
        asked = {kind: {f"{name}/{number}" for name, of, number in parts if of == kind} for kind in _NUMBERED_KINDS}
        specs = [service.spec for environment in environments for service in environment.services]
        wanted = {reference for spec in specs for reference in (spec.manifest, spec.next) if reference}
        wanted |= asked["manifests"]
        manifests: dict[str, dict[int, DeclaredManifest]] = {}
        versions: dict[str, dict[int, DeclaredVersion]] = {}
        for reference in sorted(wanted):
            name, _, number = reference.partition("/")
            if name not in whole and (reference in asked["manifests"] or self.root.exists(layout.manifest(reference))):
                manifests.setdefault(name, {}).update(self.manifests(name, [int(number)]))
        named = {model for of in manifests.values() for manifest in of.values() for model in manifest.spec.models}
        named |= asked["versions"]
        for reference in sorted(named):
            name, _, number = reference.partition("/")
            if name not in whole and (reference in asked["versions"] or self.root.exists(layout.version(reference))):
                versions.setdefault(name, {}).update(self.versions(name, [int(number)]))
        for name in sorted({*manifests, *versions}):
            if declared := self.model(name, versions.get(name, {}), manifests.get(name, {})):
                yield name, declared

    def model(
        self, name: str, versions: dict[int, DeclaredVersion], manifests: dict[int, DeclaredManifest]
    ) -> DeclaredModel | None:
        """A model with the given versions and manifests."""
        path = layout.model(name)
        if not self.root.exists(path):
            self.findings.append(Finding("M121", path, (), f"model `{name}` has no model.yaml", _NEW_MODEL + path))
            return None
        declared = self.declared(path, ModelSpec)
        return DeclaredModel(path, declared.spec, name, versions, manifests) if declared else None

    def versions(self, model: str, numbers: Iterable[int]) -> Iterator[tuple[int, DeclaredVersion]]:
        """Versions of a model, by number."""
        for number in numbers:
            reference = f"{model}/{number}"
            path, folder = layout.version(reference), layout.version_folder(reference)
            if declared := self.numbered(path, VersionSpec):
                files = tuple(file for file in self.root.walk(folder) if file != "version.yaml")
                yield number, DeclaredVersion(path, declared.spec, files)

    def manifests(self, model: str, numbers: Iterable[int]) -> Iterator[tuple[int, DeclaredManifest]]:
        """Manifests of a model, by number, with their images."""
        for number in numbers:
            reference = f"{model}/{number}"
            path, folder = layout.manifest(reference), layout.manifest_folder(reference)
            declared = self.numbered(path, ManifestSpec)
            images = {}
            for name in self.root.files(f"{folder}/images"):
                stem = self.stem(f"{folder}/images", name, ".yaml")
                if stem and (image := self.declared(f"{folder}/images/{name}", ImageSpec)):
                    images[stem] = image
            if declared:
                walked = self.root.walk(folder)
                files = tuple(f for f in walked if f != "manifest.yaml" and not f.startswith("images/"))
                yield number, DeclaredManifest(path, declared.spec, files, images)

    def environments(self) -> Iterator[tuple[str, DeclaredEnvironment]]:
        """The environments, by name, with their services."""
        for name in self.folders(layout.ENVIRONMENTS, _NAME, _NAME_HINT):
            path = layout.environment(name)
            if not self.root.exists(path):
                message = f"environment `{name}` has no environment.yaml"
                self.findings.append(Finding("M121", path, (), message, f"mmgit env create {name} --target kubernetes"))
                continue
            declared = self.declared(path, EnvironmentSpec)
            services = tuple(self.services(name))
            evidence = dict(self.evidence(name, services))
            sealed = dict(self.sealed(name))
            if declared:
                yield name, DeclaredEnvironment(path, declared.spec, name, services, evidence, sealed)

    def sealed(self, environment: str) -> Iterator[tuple[str, str]]:
        """The encrypted Secrets of an environment, by name."""
        folder = layout.secrets_folder(environment)
        for name in self.root.files(folder):
            if stem := self.stem(folder, name, layout.SEALED):
                yield stem, f"{folder}/{name}"

    def evidence(
        self, environment: str, services: tuple[DeclaredService, ...]
    ) -> Iterator[tuple[str, Declared[EvidenceSpec]]]:
        """What was seen of the services that were read, by name. What is left of services that are gone is not read."""
        groups = self.root.folders(layout.evidence_folder(environment))
        for service in services if groups else ():
            path = layout.evidence(environment, service.group, service.name)
            if self.root.exists(path) and (found := self.declared(path, EvidenceSpec)):
                yield service.name, found

    def services(self, environment: str) -> Iterator[DeclaredService]:
        """The services of an environment, by group and name; the same name in two groups is a problem."""
        seen: dict[str, str] = {}
        for group, name, path, data in self.service_files(environment):
            if name in seen:
                message = f"service `{name}` is also declared in {seen[name]}"
                self.findings.append(Finding("M124", path, (), message, "give one of them another name"))
            seen.setdefault(name, path)
            if spec := self.spec(path, data, ServiceSpec):
                yield DeclaredService(path, spec, group, name)

    def service_files(self, environment: str) -> Iterator[tuple[str, str, str, bytes]]:
        """Group, name, path and bytes of each service file: all of them, or those that were selected and are there."""
        folder = layout.services_folder(environment)
        if self.selected is not None:
            for path in sorted(path for path in self.selected if path.startswith(f"{folder}/")):
                group, _, file_name = path.removeprefix(f"{folder}/").rpartition("/")
                name = self.stem(f"{folder}/{group}".rstrip("/"), file_name, ".yaml")
                if name and self.root.exists(path) and (data := self.data(path)) is not None:
                    yield group or layout.DEFAULT_GROUP, name, path, data
            return
        groups = {group: f"{folder}/{group}" for group in self.folders(folder, _NAME, _NAME_HINT, files_too=True)}
        groups[layout.DEFAULT_GROUP] = folder
        for group, group_folder in sorted(groups.items()):
            for file_name, data in self.folder_data(group_folder).items():
                if name := self.stem(group_folder, file_name, ".yaml"):
                    yield group, name, f"{group_folder}/{file_name}", data

    def numbered(self, path: str, spec: type[S]) -> Declared[S] | None:
        """A version's or manifest's file, whose absence is a problem of the folder."""
        if self.root.exists(path):
            return self.declared(path, spec)
        folder, _, name = path.rpartition("/")
        hint = f"git restore {path}   or remove the folder"
        self.findings.append(Finding("M121", path, (), f"{folder} has no {name}", hint))
        return None

    def numbers(self, folder: str) -> list[int]:
        """The numbered folders of `folder`, in order."""
        hint = "versions and manifests are numbered 1, 2, 3, …"
        return sorted(int(name) for name in self.folders(folder, _NUMBER, hint))

    def folders(self, folder: str, name: re.Pattern[str], hint: str, *, files_too: bool = False) -> Iterator[str]:
        """The folders of `folder` with a good name; a bad name, or a file among them, is a problem."""
        for entry in self.root.folders(folder):
            if name.fullmatch(entry):
                yield entry
            else:
                self.findings.append(Finding("M122", f"{folder}/{entry}", (), f"`{entry}` is no name for this", hint))
        if not files_too:
            for entry in self.root.files(folder):
                message = f"`{entry}` is not something that mmgit reads here"
                self.findings.append(Finding("M123", f"{folder}/{entry}", (), message, "move or remove it"))

    def stem(self, folder: str, file_name: str, suffix: str) -> str | None:
        """The name that a file gives to what it declares."""
        stem = file_name.removesuffix(suffix)
        if stem == file_name:
            message = f"`{file_name}` is not something that mmgit reads here"
            self.findings.append(Finding("M123", f"{folder}/{file_name}", (), message, f"files end with {suffix}"))
            return None
        if not _NAME.fullmatch(stem):
            self.findings.append(Finding("M122", f"{folder}/{file_name}", (), f"`{stem}` is no name", _NAME_HINT))
            return None
        return stem


@lru_cache(maxsize=2048)
def _read(spec: type[Spec], data: bytes) -> Any:  # noqa: ANN401 - lru_cache keeps no type variable
    """Remembered, as commands that edit load what they did not change once more."""
    return spec.read(reading.parse(data))


def _no_blueprint(path: str) -> Finding:
    if path.endswith(".yaml"):
        message = f"`{path.rpartition('/')[2]}` is not something that mmgit reads here"
        return Finding("M123", path, (), message, "move it into the folder of a blueprint, or remove it")
    declaration = f"{path}/{layout.BLUEPRINT}"
    hint = f"echo 'extends: kubernetes/default' > {declaration}   or move its files to the blueprint that they are of"
    return Finding("M511", declaration, (), f"files in {path} are of no blueprint: there is no {declaration}", hint)
