"""Patches of rendered objects: RFC 7386 merges and RFC 6902 operations, on copies.

A patch whose target is not there, or whose path is not, is a finding at the service's file.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

from mmgit.desired import DesiredService
from mmgit.errors import Finding
from mmgit.spec.service import Operation, Patch

CODES = {
    "M520": "a patch whose target is no object of the service",
    "M521": "a patch whose operation does not fit the object",
}

Object = dict[str, Any]


Misfit = Callable[[Object, Patch], str]
"""What keeps a target from taking an object as it is after a patch; empty if nothing does."""


class _Mismatch(Exception):  # noqa: N818 - becomes a finding
    """Why an operation does not fit, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def patched(
    named: Sequence[tuple[str, str, Object]], service: DesiredService, misfit: Misfit | None = None
) -> tuple[list[Object], tuple[Finding, ...]]:
    """The objects after the service's patches, in order, and what did not fit. `named`: kind, name, object."""
    result, findings = [each for _, _, each in named], []
    for number, patch in enumerate(service.patches):
        place = (service.path, ("patches", number))
        target = patch.target
        hits = [at for at, (kind, name, _) in enumerate(named) if kind == target.kind and target.name in (None, name)]
        for at in hits:
            try:
                changed = _changed(result[at], patch)
                if misfit and (reason := misfit(changed, patch)):
                    raise _Mismatch(reason)  # noqa: TRY301 - one place makes the finding
                result[at] = changed
            except _Mismatch as mismatch:
                message = f"patch of {_described(patch)}: {mismatch}"
                findings.append(Finding("M521", *place, message, mismatch.hint))
        if not hits:
            known = ", ".join(f"{kind} {name}" for kind, name, _ in named)
            message = f"the patch of {_described(patch)} matches nothing in service `{service.name}`"
            findings.append(Finding("M520", *place, message, f"its objects: {known}"))
    return result, tuple(findings)


def _described(patch: Patch) -> str:
    return f"{patch.target.kind} {patch.target.name or ''}".strip()


def _changed(each: Object, patch: Patch) -> Object:
    if patch.merge is not None:
        merged: Object = _merged(each, patch.merge)
        return merged
    document = copy.deepcopy(each)
    for operation in patch.json_ or ():
        document = _operated(document, operation)
    if not isinstance(document, dict):
        raise _Mismatch("the whole object is replaced by something that is none")
    return document


def _merged(target: Any, change: Any) -> Any:  # noqa: ANN401 - RFC 7386 is defined on any value
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


_MAX_COPIED = 100_000
"""The most characters of a value that a patch copies."""


def _operated(document: Any, operation: Operation) -> Any:  # noqa: ANN401 - RFC 6902 is defined on any value
    holder = {"": document}  # so that the root, too, is the value of a key
    path = _tokens(operation.path)
    match operation.op:
        case "add":
            _add(holder, path, copy.deepcopy(operation.value))
        case "remove":
            _remove(holder, path)
        case "replace":
            _remove(holder, path, "`op: add` sets a value where there is none")
            _add(holder, path, copy.deepcopy(operation.value))
        case "move":
            _add(holder, path, _remove(holder, _tokens(operation.from_)))
        case "copy":
            value = _get(holder, _tokens(operation.from_))
            if len(repr(value)) > _MAX_COPIED:  # a few copies of copies would fill the memory
                raise _Mismatch(f"what lies at {operation.from_} is too large to be copied")
            _add(holder, path, copy.deepcopy(value))
        case "test":
            if _get(holder, path) != operation.value:
                raise _Mismatch(f"test of {operation.path}: it is {_get(holder, path)!r:.60}")
    return holder.get("")


def _tokens(pointer: str | None) -> list[str]:
    """The keys of a JSON pointer below the holder of the document."""
    if pointer is None or (pointer and not pointer.startswith("/")):
        raise _Mismatch(f"`{pointer}` is no JSON pointer, like /spec/template")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")]


def _get(holder: Any, tokens: Sequence[str], hint: str = "") -> Any:  # noqa: ANN401 - any value
    for at, token in enumerate(tokens):
        try:
            holder = holder[_index(holder, token, len(holder) - 1) if isinstance(holder, list) else token]
        except (KeyError, TypeError):
            there = ", ".join(map(str, holder)) if isinstance(holder, dict) and at else ""
            known = f"{'/'.join(tokens[:at]) or 'the object'} has: {there}" if there else ""
            message = f"{'/'.join(tokens[: at + 1])} is not there"
            raise _Mismatch(message, hint if hint and at == len(tokens) - 1 else known) from None
    return holder


def _add(holder: Any, tokens: Sequence[str], value: Any) -> None:  # noqa: ANN401 - any value
    parent, last = _get(holder, tokens[:-1]), tokens[-1]
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(parent, last, len(parent)), value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise _Mismatch(f"{'/'.join(tokens[:-1])} holds neither keys nor items")


def _remove(holder: Any, tokens: Sequence[str], hint: str = "") -> Any:  # noqa: ANN401 - any value
    _get(holder, tokens, hint)
    parent, last = _get(holder, tokens[:-1]), tokens[-1]
    return parent.pop(int(last) if isinstance(parent, list) else last)


def _index(items: list[Any], token: str, most: int) -> int:
    if not token.isascii() or not token.isdigit() or str(int(token)) != token or int(token) > most:
        raise _Mismatch(f"`{token}` is no item of a list of {len(items)}")
    return int(token)
