"""A skops file of a scikit-learn model in, its signature out: what its `schema.json` says of the estimators in it.

A file trained on named columns takes a frame, one that begins with texts takes texts, all others rows of numbers.
Nothing is made of any type that the file names, and of its arrays only headers are read.
"""

import ast
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any

from mmgit.signatures.signature import Column, Frame, Named, Signature, Tensor, matrix

Node = Mapping[str, Any]

_SCHEMA_BYTES_MAX = 256 * 2**20
_HEADER_BYTES_MAX = 2**16
_DAMAGES = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError)
"""What zipfile raises for archives that are damaged, encrypted, or packed in a way of their own."""
_TEXTS = "sklearn.feature_extraction.text"
_MIXED = ("sklearn.compose.", "sklearn.preprocessing._encoders", "sklearn.preprocessing._target_encoder")
"""What people give other columns than numbers."""


def read(file: IO[bytes]) -> Signature:
    """The signature."""
    try:
        with zipfile.ZipFile(file) as archive:
            model = json.loads(_bounded(archive, "schema.json", _SCHEMA_BYTES_MAX))
            outputs = _outputs(archive, _estimator(model, -1))
    except _DAMAGES as error:
        raise ValueError(str(error)) from error
    first = _estimator(model, 0)
    version = _plain(_state(model).get("_sklearn_version"))
    made_with = ("scikit-learn", version) if isinstance(version, str) else None
    if names := _names(first):
        is_mixed = any(str(node.get("__module__")).startswith(_MIXED) for node in _nodes(model))
        frame = Frame(tuple(Column(name, "any" if is_mixed else "float64") for name in names))
        return Signature((Named(frame),), outputs, made_with, is_sampled=not is_mixed)
    if first.get("__module__") == _TEXTS:
        return Signature((Named(Tensor("str", (None,))),), outputs, made_with)
    found = _plain(_state(first).get("n_features_in_"))
    width = found if isinstance(found, int) and found > 0 else None
    return Signature((matrix(width),), outputs, made_with, is_sampled=width is not None)


def _estimator(node: Node, index: int) -> Node:
    """The first or last estimator of a pipeline, and of what a search found best; else the model itself."""
    while True:
        state = _state(node)
        steps = [step["content"][1] for step in state["steps"]["content"]] if "steps" in state else []
        estimators = [step for step in steps if _state(step)]
        if "best_estimator_" in state:
            node = state["best_estimator_"]
        elif estimators:
            node = estimators[index]
        else:
            return node


def _state(node: Node) -> Mapping[str, Node]:
    """The attributes of an object, each a node; none for what is no object."""
    content = node.get("content")
    inner = content.get("content") if isinstance(content, dict) else None
    return inner if isinstance(inner, dict) else {}


def _nodes(node: object) -> Iterator[Node]:
    """Every node of the tree."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _plain(node: Node | None) -> object:
    """The number or text that a node is."""
    return json.loads(node["content"]) if node and node.get("__loader__") == "JsonNode" else None


def _names(node: Node) -> list[str]:
    """The columns that an estimator was trained on; none if they are not named by texts."""
    array = _state(node).get("feature_names_in_")
    names = [_plain(each) for each in array["content"]] if array and array.get("type") == "json" else []
    return [name for name in names if isinstance(name, str)] if all(isinstance(name, str) for name in names) else []


def _outputs(archive: zipfile.ZipFile, last: Node) -> dict[str, Tensor]:
    """Those of a classifier: its classes say which dtype a prediction has, and how many probabilities there are."""
    classes = _state(last).get("classes_")
    if classes is None:
        return {}
    if classes.get("type") == "numpy":
        dtype, shape = _npy_header(_bounded(archive, classes["file"], _HEADER_BYTES_MAX, is_whole=False))
    else:
        labels = [_plain(each) for each in classes["content"]]
        dtype, shape = "str" if all(isinstance(label, str) for label in labels) else "", (len(labels),)
    if not dtype or len(shape) != 1:
        return {}
    return {"predict": Tensor(dtype, (None,)), "predict_proba": Tensor("float64", (None, shape[0]))}


def _npy_header(data: bytes) -> tuple[str, tuple[int, ...]]:
    """The dtype, "" for one that has no schema, and the shape of an array. Source: numpy.lib.format."""
    if not data.startswith(b"\x93NUMPY"):
        raise ValueError("an array in it is none")
    at = 10 if data[6] == 1 else 12
    size = int.from_bytes(data[8:at], "little")
    header = ast.literal_eval(data[at : at + size].decode("latin-1").strip())
    descr = header["descr"]
    kind, bits = descr[1], int(descr[2:]) * 8
    name = {"i": f"int{bits}", "u": f"uint{bits}", "f": f"float{bits}", "b": "bool", "U": "str"}.get(kind, "")
    return name, tuple(header["shape"])


def _bounded(archive: zipfile.ZipFile, name: str, most: int, *, is_whole: bool = True) -> bytes:
    with archive.open(name) as file:
        data = file.read(most + 1)
    if is_whole and len(data) > most:
        raise ValueError(f"{name} in it is larger than {most // 2**20} MiB")
    return data
