"""Small model files, written by hand as the libraries write them; `test_real_models.py` has real ones."""

import io
import json
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LIGHTGBM = """tree
version=v4
num_class={classes}
num_tree_per_iteration={classes}
label_index=0
max_feature_idx={last}
objective={objective}
feature_names={names}
feature_infos={infos}
tree_sizes=560

Tree=0
num_leaves=4
feature_names=not these

end of parameters

pandas_categorical:{categories}
"""


def lightgbm(  # noqa: PLR0913 - the lines of the file
    names: Sequence[str] = ("Column_0", "Column_1"),
    infos: Sequence[str] = ("[-1:3]", "none"),
    *,
    objective: str = "binary sigmoid:1",
    classes: int = 1,
    categories: object = None,
    last: int | None = None,
) -> bytes:
    fields: dict[str, Any] = {"objective": objective, "classes": classes, "categories": json.dumps(categories)}
    last = len(names) - 1 if last is None else last
    return LIGHTGBM.format(names=" ".join(names), infos=" ".join(infos), last=last, **fields).encode()


def xgboost(
    names: Sequence[str] = (), types: Sequence[str] = (), *, objective: str = "reg:squarederror", **parameters: int
) -> dict[str, Any]:
    numbers = {"num_class": 0, "num_feature": len(names) or 3, "num_target": 1, **parameters}
    tree = {"base_weights": [0.5, -0.5], "id": 0, "split_type": [0]}
    learner = {
        "feature_names": list(names),
        "feature_types": list(types),
        "gradient_booster": {"model": {"trees": [tree], "cats": {}}, "name": "gbtree"},
        "learner_model_param": {name: str(number) for name, number in numbers.items()},
        "objective": {"name": objective},
    }
    return {"learner": learner, "version": [3, 2, 0]}


def ubjson(value: Any) -> bytes:
    """As XGBoost writes it: sizes in 8 bytes, arrays of floats typed."""
    if isinstance(value, dict):
        members = (_ubjson_text(name) + ubjson(member) for name, member in value.items())
        return b"{" + b"".join(members) + b"}"
    if isinstance(value, list) and value and all(isinstance(item, float) for item in value):
        return b"[$d#" + _ubjson_size(len(value)) + struct.pack(f">{len(value)}f", *value)
    if isinstance(value, list):
        return b"[#" + _ubjson_size(len(value)) + b"".join(map(ubjson, value))
    if isinstance(value, str):
        return b"S" + _ubjson_text(value)
    return b"l" + struct.pack(">i", value)


def _ubjson_text(text: str) -> bytes:
    return _ubjson_size(len(text.encode())) + text.encode()


def _ubjson_size(size: int) -> bytes:
    return b"L" + struct.pack(">q", size)


def onnx(inputs: Iterable[bytes], outputs: Iterable[bytes], weights: Iterable[str] = ()) -> bytes:
    """A model whose graph has these values (see `value`), and weights of a kilobyte each."""
    tensors = (_field(1, 256) + _field(8, name.encode()) + _field(9, bytes(1024)) for name in weights)
    node = _field(4, b"MatMul")
    graph = [_field(1, node), _field(2, b"graph"), *(_field(5, tensor) for tensor in tensors)]
    graph += [*(_field(11, each) for each in inputs), *(_field(12, each) for each in outputs)]
    return _field(1, 10) + _field(7, b"".join(graph)) + _field(8, _field(2, 17))


def value(name: str, element: int | None, shape: Sequence[int | str | None] | None) -> bytes:
    """A value of a graph: a size, the name of a free one, or a size of which nothing is said."""
    sizes = [
        b"" if size is None else _field(2, size.encode()) if isinstance(size, str) else _field(1, size)
        for size in shape or ()
    ]
    dimensions = b"".join(_field(1, size) for size in sizes)
    tensor = (b"" if element is None else _field(1, element)) + (b"" if shape is None else _field(2, dimensions))
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    groups = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def skops(model: Mapping[str, Any], **arrays: bytes) -> bytes:
    """The file of a model (see `estimator`); arrays are stored as `<name>.npy`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", json.dumps(model))
        for name, data in arrays.items():
            archive.writestr(f"{name}.npy", data)
    return stream.getvalue()


def estimator(type_name: str, **attributes: Any) -> dict[str, Any]:
    """An object of that type; attributes are plain values, or nodes."""
    module, _, name = type_name.rpartition(".")
    state = {attribute: node(each) for attribute, each in {"_sklearn_version": "1.9.1", **attributes}.items()}
    content = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": state}
    return {"__class__": name, "__module__": module, "__loader__": "ObjectNode", "content": content}


def pipeline(*steps: Any) -> dict[str, Any]:
    tuples = [{"__loader__": "TupleNode", "content": [node(f"step{at}"), node(step)]} for at, step in enumerate(steps)]
    return estimator("sklearn.pipeline.Pipeline", steps={"__loader__": "ListNode", "content": tuples})


def stored(name: str) -> dict[str, Any]:
    """An array that lies in the file as `<name>.npy`."""
    return {"__class__": "ndarray", "__loader__": "NdArrayNode", "type": "numpy", "file": f"{name}.npy"}


def texts(*items: Any) -> dict[str, Any]:
    """An array of objects."""
    return {
        "__class__": "ndarray",
        "__loader__": "NdArrayNode",
        "type": "json",
        "content": [node(each) for each in items],
    }


def node(plain: Any) -> Any:
    """A plain value as a node; nodes stay as they are."""
    if isinstance(plain, dict):
        return plain
    return {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": json.dumps(plain)}


def npy(descr: str, shape: tuple[int, ...]) -> bytes:
    """The beginning of an array."""
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
