"""All declared files of one repository, as read: what each says and which file said it. Nothing is joined yet."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from mmgit.frozen import dataclass, field
from mmgit.repository import layout
from mmgit.spec import (
    BaseSpec,
    EnvironmentSpec,
    EvidenceSpec,
    ImageSpec,
    ManifestSpec,
    ModelSpec,
    ProjectSpec,
    ServiceSpec,
    Spec,
    VersionSpec,
)
from mmgit.spec.fields import REFERENCE

S_co = TypeVar("S_co", bound=Spec, covariant=True)


@dataclass(frozen=True)
class Declared(Generic[S_co]):
    """What one file declares."""

    path: str
    spec: S_co


@dataclass(frozen=True)
class DeclaredManifest(Declared[ManifestSpec]):
    """A manifest, the names of the files that lie beside it, and its images by the first 12 digits of their key."""

    files: tuple[str, ...] = ()
    images: Mapping[str, Declared[ImageSpec]] = field(default_factory=dict)


@dataclass(frozen=True)
class DeclaredVersion(Declared[VersionSpec]):
    """A model version and the names of the files that lie beside it."""

    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeclaredModel(Declared[ModelSpec]):
    """A model with its versions and manifests by number, in order."""

    name: str = ""
    versions: Mapping[int, DeclaredVersion] = field(default_factory=dict)
    manifests: Mapping[int, DeclaredManifest] = field(default_factory=dict)


@dataclass(frozen=True)
class DeclaredService(Declared[ServiceSpec]):
    """A service with the group and name that its path gives it."""

    group: str = layout.DEFAULT_GROUP
    name: str = ""


@dataclass(frozen=True)
class DeclaredEnvironment(Declared[EnvironmentSpec]):
    """An environment and its services, sorted by group and name; and what was seen of them, by name."""

    name: str = ""
    services: tuple[DeclaredService, ...] = ()
    evidence: Mapping[str, Declared[EvidenceSpec]] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)
    """Its encrypted Secrets: name -> path."""


@dataclass(frozen=True)
class Source:
    """All of it. Mappings are sorted by name."""

    project: Declared[ProjectSpec]
    bases: Mapping[str, Declared[BaseSpec]] = field(default_factory=dict)
    models: Mapping[str, DeclaredModel] = field(default_factory=dict)
    environments: Mapping[str, DeclaredEnvironment] = field(default_factory=dict)
    own_images: Mapping[str, Declared[ImageSpec]] = field(default_factory=dict)
    """Images of mmgit's own: compose's proxy, the uploader of telemetry."""
    blueprints: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The team's own: name -> path in the folder -> text."""

    @property
    def wants_evidence(self) -> bool:
        """Whether some environment asks who vouches for its images, or what these hold."""
        specs = [environment.spec for environment in self.environments.values()]
        return any(spec.signatures or (spec.promotion and spec.promotion.require) for spec in specs)

    def own_images_of(self, spec: EnvironmentSpec) -> tuple[str, ...]:
        """The names of the images of mmgit's own that an environment runs, of those that are locked."""
        needed = {layout.PROXY: spec.target == "compose", layout.UPLOADER: bool(spec.telemetry.store)}
        return tuple(name for name in self.own_images if needed[name] and spec.target != "process")

    def version(self, reference: str) -> DeclaredVersion | None:
        """Model version `<model>/<n>`, if it is declared."""
        model, number = self._numbered(reference)
        return model.versions.get(number) if model else None

    def manifest(self, reference: str) -> DeclaredManifest | None:
        """Manifest `<model>/<n>`, if it is declared."""
        model, number = self._numbered(reference)
        return model.manifests.get(number) if model else None

    def service(self, environment: str, name: str) -> DeclaredService | None:
        """The service `name` of an environment, if it is declared."""
        declared = self.environments.get(environment)
        return next((service for service in declared.services if service.name == name), None) if declared else None

    def _numbered(self, reference: str) -> tuple[DeclaredModel | None, int]:
        """The model of `<model>/<n>`, and n; no model of any other text, as reports may hold."""
        name, _, number = reference.partition("/")
        return (self.models.get(name), int(number)) if REFERENCE.admits(reference) else (None, 0)
