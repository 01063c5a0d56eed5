"""How much a change removes or alters at once, and the hash by which people acknowledge exactly that."""

import hashlib
import json

from mmgit.frozen import dataclass
from mmgit.repository.environments import service_paths
from mmgit.review.side import Side

HASH_DIGITS = 16


@dataclass(frozen=True)
class Blast:
    """Why a change must be acknowledged, and the name of exactly this set of changes."""

    reasons: tuple[str, ...]
    hash: str


def blast_radius(before: Side, after: Side) -> Blast:
    """What of a change is more than the policy of the side before allows."""
    allowed = before.source.project.spec.policies.blast_radius.services
    was, now = before.services, after.services
    removed = sorted(where for where in was if where not in now)
    altered = sorted(
        where
        for where in was
        if where in now and (was[where] != now[where] or before.objects.get(where) != after.objects.get(where))
    )
    reasons = []
    if len(removed) + len(altered) > allowed:
        many = f"services: {len(removed)} to go and {len(altered)} to change"
        reasons.append(f"{many}; the policy allows {allowed} at once")
    emptied = (name for name in sorted({environment for environment, _ in removed}) if _is_empty(after, name))
    reasons += [f"environment {name} loses all of its services" for name in emptied]
    named = {
        "removed": removed,
        "altered": [[*where, repr(now[where]), repr(after.objects.get(where))] for where in altered],
    }
    digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
    return Blast(tuple(reasons), digest[:HASH_DIGITS])


def _is_empty(side: Side, environment: str) -> bool:
    """Whether no service is declared there: a side need not hold those that are the same on both."""
    return environment not in side.source.environments or not service_paths(side.files, environment)
