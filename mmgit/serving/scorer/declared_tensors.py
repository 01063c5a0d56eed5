"""A schema.json in; the tensors that stand for its inputs and output in the Open Inference Protocol v2 out.

A numpy array is a tensor of its name, a pandas frame one tensor a column; bytes are a tensor of one element, and so is
the JSON of what has no other form. The front shows them as a model's metadata, the scorer converts by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DTYPES = {
    "BOOL": "bool",
    **{f"{sign.upper()}INT{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": f"float{bits}" for bits in (16, 32, 64)},
}
"""Datatype of the protocol -> dtype of numpy. BYTES, texts and bytes of any length, has none."""

DATATYPES = {dtype: datatype for datatype, dtype in DTYPES.items()}

CELLS, BYTES, JSON = "cells", "bytes", "json"
"""What a tensor holds: values of its datatype, one element of bytes, or one element with the text of some JSON."""

_LEAVES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "string": "BYTES"}


class DeclaredTensor(NamedTuple):
    """One tensor; -1 in `shape` is a free size. `argument` is the input that it is, or has the column `column` of."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    holds: str
    argument: str
    column: str | None = None


def input_tensors(schema: Mapping[str, Any] | None) -> tuple[DeclaredTensor, ...]:
    """The tensors of a request. Without a schema it is one, with what `run()` is given."""
    if schema is None:
        return (DeclaredTensor("body", "BYTES", (1,), BYTES, "body"),)
    properties = schema["properties"]
    is_alone = len(properties) == 1
    return tuple(
        tensor for name, declared in properties.items() for tensor in _tensors_of(name, declared, is_alone=is_alone)
    )


def output_tensors(schema: Mapping[str, Any] | None) -> tuple[DeclaredTensor, ...]:
    """The tensors of an answer as far as they are declared."""
    output = (schema or {}).get("x-mmgit", {}).get("output")
    if not output:
        return ()
    if "x-mmgit" not in output and output.get("properties"):
        parts = output["properties"].items()
        return tuple(tensor for name, declared in parts for tensor in _tensors_of(name, declared, is_alone=False))
    return tuple(_tensors_of("output", output, is_alone=True))


def _tensors_of(name: str, declared: Mapping[str, Any], *, is_alone: bool) -> Iterator[DeclaredTensor]:
    mark = declared.get("x-mmgit", {})
    kind = mark.get("type")
    if kind == "numpy":
        shape = tuple(-1 if size is None else size for size in mark["shape"]) or (1,)
        yield DeclaredTensor(name, DATATYPES.get(mark["dtype"].lower(), "BYTES"), shape, CELLS, name)
    elif kind == "pandas":
        for column in mark["columns"]:
            label = str(column["name"])
            yield DeclaredTensor(
                label if is_alone else f"{name}.{label}", _of_column(column), (-1,), CELLS, name, label
            )
    elif kind == "bytes":
        yield DeclaredTensor(name, "BYTES", (1,), BYTES, name)
    else:
        yield _of_json(name, declared)


def _of_column(column: Mapping[str, Any]) -> str:
    if column["dtype"] != "category":
        return DATATYPES.get(column["dtype"].lower().replace("boolean", "bool"), "BYTES")
    types = set(map(type, column["categories"]))
    return "BOOL" if types == {bool} else "INT64" if types == {int} else "FP64" if types <= {int, float} else "BYTES"


def _of_json(name: str, declared: Mapping[str, Any]) -> DeclaredTensor:
    """Plain values, and lists of them, are themselves; what else JSON can say is its text."""
    inner: Any = declared
    shape: tuple[int, ...] = ()
    while isinstance(inner, dict) and inner.get("type") == "array":
        inner, shape = inner.get("items"), (*shape, -1)
    leaf = inner.get("type") if isinstance(inner, dict) else None
    if isinstance(leaf, str) and leaf in _LEAVES:
        return DeclaredTensor(name, _LEAVES[leaf], shape or (1,), CELLS, name)
    return DeclaredTensor(name, "BYTES", (1,), JSON, name)
