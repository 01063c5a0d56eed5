"""The artifacts that follow from the locks alone: what an image holds, and how it was made."""

from mmgit.images.evidence import provenance, sbom
from mmgit.images.evidence.components import Parts, components
from mmgit.images.evidence.manifests import Artifact, Part, artifact
from mmgit.lock import Blob


def statements(image: Blob, parts: Parts) -> tuple[Artifact, Artifact]:
    """Bill of materials and provenance of the image with this index, which is made of these parts: always the same.

    Raises:
        BuildError: a lock has no wheel for a platform.
    """
    found = components(parts)
    name, digest = parts.name, image.digest
    bill = sbom.sbom(name, digest, found, parts.base.suite, is_customised=parts.is_customised)
    made = provenance.provenance(name, digest, parts.recipe, found)
    return (
        artifact(sbom.MEDIA_TYPE, [Part(sbom.MEDIA_TYPE, bill)], image),
        artifact(provenance.MEDIA_TYPE, [Part(provenance.MEDIA_TYPE, made)], image),
    )
