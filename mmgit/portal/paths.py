"""Where the pages of things are, and links to them. Names are declared ones: letters, digits and `-`."""

from mmgit.portal.frame import Here
from mmgit.portal.html import Html
from mmgit.repository.source import DeclaredEnvironment, DeclaredService, Source


def model(name: str) -> str:
    """The page of a model."""
    return f"models/{name}.html"


def version(reference: str) -> str:
    """The page of model version `<model>/<n>`."""
    name, _, number = reference.partition("/")
    return f"models/{name}/versions/{number}.html"


def manifest(reference: str) -> str:
    """The page of manifest `<model>/<n>`."""
    name, _, number = reference.partition("/")
    return f"models/{name}/manifests/{number}.html"


def document(reference: str) -> str:
    """The OpenAPI document of a manifest."""
    return manifest(reference).replace(".html", ".openapi.json")


def environment(name: str) -> str:
    """The page of an environment."""
    return f"environments/{name}.html"


def service(environment_name: str, name: str) -> str:
    """The page of a service."""
    return f"environments/{environment_name}/{name}.html"


def to_version(here: Here, source: Source, reference: str) -> Html | str:
    """A link to a version, if it is declared."""
    return here.to(version(reference), reference) if source.version(reference) else reference


def to_manifest(here: Here, source: Source, reference: str | None) -> Html | str | None:
    """A link to a manifest, if it is declared."""
    return here.to(manifest(reference), reference) if reference and source.manifest(reference) else reference


def to_service(here: Here, environment: DeclaredEnvironment, each: DeclaredService, text: str) -> Html:
    """A link to a service."""
    return here.to(service(environment.name, each.name), text)
