"""The bytes of declared files that edits make or change, checked as `load` checks them."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from mmgit.errors import UsageError
from mmgit.repository import problems, reading, roundtrip
from mmgit.repository.subset import Fault
from mmgit.spec import Refused, Spec


def new_file(path: str, spec: type[Spec], fields: Mapping[str, Any]) -> bytes:
    """A new declared file of the kind `spec`; empty fields are left out. Raises `UsageError` for a refused value."""
    (kind,) = get_args(spec.fields()["kind"].annotation)
    said = {name: item for name, item in fields.items() if item is not None and item not in ("", [], {})}
    return _checked(path, spec, roundtrip.new({"apiVersion": "mmgit.dev/v1", "kind": kind, **said}))


def edited_file(path: str, spec: type[Spec], data: bytes, *, fields: Mapping[str, Any], order: Sequence[str]) -> bytes:
    """`data` with `fields` set, or removed where they are None; all other text stays as it is.

    A field that was not there is put where `order` has it. Raises `UsageError` for a refused value.
    """
    try:
        value = reading.parse(data)
        for name, item in fields.items():
            if item is None:
                value.pop(name, None)
            elif name in value:
                value[name] = item
            else:
                value = _inserted(value, name, item, order)
        return _checked(path, spec, roundtrip.rewrite(data, value))
    except Fault as fault:
        raise UsageError(f"{path}:{fault.line}:{fault.column}: {fault.message}", fault.hint) from fault


def _inserted(value: Mapping[str, Any], name: str, item: object, order: Sequence[str]) -> dict[str, Any]:
    earlier = ("apiVersion", "kind", *order[: order.index(name)])
    position = max((i + 1 for i, key in enumerate(value) if key in earlier), default=0)
    entries = list(value.items())
    return dict([*entries[:position], (name, item), *entries[position:]])


def _checked(path: str, spec: type[Spec], data: bytes) -> bytes:
    try:
        spec.read(reading.parse(data))
    except Refused as error:
        first = problems.findings_of_refusal(path, spec, error)[0]
        raise UsageError(f"{path}: {first.message}", first.hint) from error
    except Fault as fault:
        raise UsageError(f"{path}: {fault.message}", fault.hint) from fault
    return data
