"""Which rendered files of a change are not what its own declarations make: edited, left behind, or never written."""

from collections.abc import Collection, Iterator

from mmgit.errors import UnsafePath, UsageError
from mmgit.repository import layout
from mmgit.review.side import Side
from mmgit.review.verdicts import Verdict

_SHOWN = 3


def judge(after: Side, paths: Collection[str]) -> Iterator[Verdict]:
    """A verdict if any of them is: of all that the change touches, and of the services that it was read with."""
    wrong = sorted(path for path in _touched(after, paths) if _bytes(after, path) != after.rendered.get(path))
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        text = f"not what the declarations make: {', '.join(wrong[:_SHOWN])}{more}. mmgit compile, and commit that too"
        yield Verdict("", "", "rendered", "failed", text)


def _touched(after: Side, paths: Collection[str]) -> set[str]:
    """What has to be as it is rendered: what was rendered, what the change touches, what it should have removed."""
    found = set(after.rendered)
    for path in paths:
        match path.split("/"):
            case [layout.ENVIRONMENTS, _, "rendered" | "controllers", *_]:
                found.add(path)
            case [layout.ENVIRONMENTS, name, "services", *group, file]:
                found.add("/".join([layout.rendered_folder(name), *(group or [layout.DEFAULT_GROUP]), file]))
    for name in {path.split("/")[1] for path in found}:
        environment = after.source.environments.get(name)
        if environment and environment.spec.target != "kubernetes":  # so all of its services were read
            folder = layout.rendered_folder(name)
            found |= {f"{folder}/{below}" for below in after.files.walk(folder)}
    return found


def _bytes(side: Side, path: str) -> bytes | None:
    """What lies there; something that is no file's content for a link, a module or what is too large."""
    try:
        return side.files.read(path) if side.files.exists(path) else None
    except (UnsafePath, UsageError):
        return b""
