"""The bill of materials of an image: CycloneDX 1.6 as JSON, the same bytes for the same image. Pure.

Source: CycloneDX 1.6, bom-1.6.schema.json; in-toto attestation framework, predicates/cyclonedx.md.
"""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mmgit import __version__
from mmgit.images.evidence.components import Component
from mmgit.lock import canonical

MEDIA_TYPE = "application/vnd.cyclonedx+json"
PREDICATE_TYPE = "https://cyclonedx.org/bom"
_IMAGE = "image"


def sbom(name: str, digest: str, components: Sequence[Component], suite: str, *, is_customised: bool = False) -> bytes:
    """The document of the image whose index has this digest; `suite` is its Debian, nothing where its base is an image.

    It holds no time, and its serial number follows from the rest: so it can be made again and compared. Of an image
    that is the base only the layers are known, and of commands that were run nothing but their text: the document says
    that it is not complete.
    """
    debian = {"type": "operating-system", "bom-ref": "debian", "name": "debian", "version": suite}
    held = [*([debian] if suite else []), *map(_component, components)]
    aggregate = "complete" if suite and not is_customised else "incomplete"
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "mmgit", "version": __version__}]},
            "component": {
                "type": "container",
                "bom-ref": _IMAGE,
                "name": name,
                "version": digest,
                "purl": f"pkg:oci/{quote(name, safe='')}@{quote(digest, safe='')}",
                "hashes": _hashes(digest.removeprefix("sha256:")),
            },
        },
        "components": held,
        "compositions": [{"aggregate": aggregate, "assemblies": [_IMAGE]}],
        "dependencies": [{"ref": _IMAGE, "dependsOn": sorted(each["bom-ref"] for each in held)}],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"https://mmgit.dev/sbom/{hashlib.sha256(canonical(document)).hexdigest()}")
    return canonical({**document, "serialNumber": f"urn:uuid:{serial}"})


def _component(component: Component) -> dict[str, Any]:
    written: dict[str, Any] = {
        "type": component.type,
        "bom-ref": component.identity,
        "name": component.name,
        "properties": [
            {"name": "mmgit:layer", "value": component.layer},
            *({"name": "mmgit:platform", "value": platform} for platform in component.platforms),
        ],
    }
    named = {"version": component.version, "purl": component.purl}
    written |= {key: value for key, value in named.items() if value}
    if component.sha256:
        written["hashes"] = _hashes(component.sha256)
    if component.url:
        written["externalReferences"] = [{"type": "distribution", "url": component.url}]
    return written


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]
