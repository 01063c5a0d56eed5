"""How an image was made: an in-toto statement with a SLSA provenance, the same bytes for the same image. Pure.

Source: in-toto Statement v1; SLSA v1.0, provenance.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmgit import __version__
from mmgit.frozen import asdict
from mmgit.images.evidence.components import Component
from mmgit.lock import canonical
from mmgit.recipe import Recipe

MEDIA_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
_STATEMENT = "https://in-toto.io/Statement/v1"
_BUILD_TYPE = "https://mmgit.dev/build/v1"
_BUILDER = "https://mmgit.dev/builder/v1"


def statement(name: str, digest: str, predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    """An in-toto statement about the image whose index has this digest."""
    return canonical(
        {
            "_type": _STATEMENT,
            "subject": [{"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    )


def provenance(name: str, digest: str, recipe: Recipe, components: Sequence[Component]) -> bytes:
    """The statement of how it was made: by which recipe, of what, by which mmgit.

    Neither the commit nor the machine nor the time is in it, as none of them changes an image: git says which commit
    locked it.
    """
    inputs = recipe.inputs
    predicate = {
        "buildDefinition": {
            "buildType": _BUILD_TYPE,
            "externalParameters": {
                "recipe": recipe.key,
                "inputs": inputs.key,
                "runtime": inputs.runtime,
                "platforms": sorted(recipe.foundation.base),
            },
            "internalParameters": asdict(recipe.foundation),
            "resolvedDependencies": [_dependency(each) for each in components if each.sha256],
        },
        "runDetails": {"builder": {"id": _BUILDER, "version": {"mmgit": __version__}}},
    }
    return statement(name, digest, PREDICATE_TYPE, predicate)


def _dependency(component: Component) -> dict[str, Any]:
    written: dict[str, Any] = {"name": component.name, "digest": {"sha256": component.sha256}}
    if component.purl:
        written["uri"] = component.purl
    if component.url:
        written["downloadLocation"] = component.url
    return written
