"""Versions, manifests and images never change once they are merged."""

import re
from collections.abc import Iterator

from mmgit.checks.scope import Scope
from mmgit.errors import Finding, MmgitError
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.repository.blobs import blob_id

_FROZEN = re.compile(r"models/([^/]+)/(?:versions/[0-9]+/version\.yaml|manifests/[0-9]+/.+)")


def is_frozen(path: str) -> bool:
    """Whether a file never changes once it is merged."""
    return _FROZEN.fullmatch(path) is not None


def what_is_released_stays(scope: Scope) -> Iterator[Finding]:
    """What `models/` holds at the merge base is there unchanged, unless the whole model is gone."""
    for path, blob in (scope.baseline or {}).items():
        frozen = _FROZEN.fullmatch(path)
        if frozen is None or frozen[1] not in scope.source.models:
            continue
        try:
            data = scope.read(path, MAX_SCORING_BYTES)
        except MmgitError:
            message = "released, and gone; versions, manifests and images stay"
            yield Finding("M402", path, (), message, _restored(scope, path))
            continue
        if blob_id(data, blob) != blob:
            message = "released, and changed since; a change gets the next number"
            yield Finding("M401", path, (), message, _restored(scope, path))


def _restored(scope: Scope, path: str) -> str:
    return f"git restore --source={scope.released_in()} -- {path}"
