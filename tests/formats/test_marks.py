"""The format of a model file is seen in its first bytes, whatever it is called; nothing is loaded to find out."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from mmgit.formats.marks import HEAD_BYTES, formats_of

OURS = Path(__file__).parents[2] / "models"


def zipped(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return target.getvalue()


def saved(array: "np.ndarray[tuple[int], np.dtype[np.object_]]") -> bytes:
    target = io.BytesIO()
    np.save(target, array, allow_pickle=True)
    return target.getvalue()


OBJECT = OrderedDict(a=1)
PICKLE = pickle.dumps(OBJECT)
HEADER = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
PICKLES = {
    **{f"protocol {number}": pickle.dumps(OBJECT, protocol=number) for number in range(6)},
    "zlib": zlib.compress(PICKLE),
    "gzip": gzip.compress(PICKLE),
    "bz2": bz2.compress(PICKLE),
    "xz": lzma.compress(PICKLE),
    "lzma": lzma.compress(PICKLE, lzma.FORMAT_ALONE),
    "lz4": b"\x04\x22\x4d\x18" + PICKLE,
    "a protocol 0 by hand": b"cos\nsystem\n(S'true'\ntR.",
    "an array of objects": saved(np.array([OBJECT], dtype=object)),
    "PyTorch": zipped("archive/data.pkl", "archive/version"),
}


@pytest.mark.parametrize("head", PICKLES.values(), ids=PICKLES.keys())
@pytest.mark.parametrize("name", ["model.onnx", "model.skops", "model.bin", "weights"])
def test_a_pickle_is_a_pickle_whatever_it_is_called(name: str, head: bytes) -> None:
    assert "pickle" in formats_of(name, head[:HEAD_BYTES])


@pytest.mark.parametrize(
    ("name", "head", "formats"),
    [
        ("model.onnx", b"\x08\x08\x12\x07tf2onnx", ("onnx",)),
        ("model.bin", b"\x08\x08\x12\x07tf2onnx", ("other", "onnx")),
        ("model.skops", zipped("0.npy", "schema.json"), ("skops",)),
        ("model.keras", zipped("metadata.json", "config.json"), ("keras",)),
        ("model.h5", b"\x89HDF\r\n\x1a\n\x00", ("keras",)),
        ("model.safetensors", len(HEADER).to_bytes(8, "little") + HEADER, ("safetensors",)),
        ("model.bin", len(HEADER).to_bytes(8, "little") + HEADER, ("other", "safetensors")),
        ("model.torchscript", zipped("m/data.pkl", "m/code/m.py"), ("torchscript",)),
        ("model.pt", zipped("m/data.pkl"), ("pickle",)),
        ("model.gguf", b"GGUF\x03", ("other",)),
        ("model.xgb", b'{"learner": {}}', ("xgboost",)),
        ("model.lgb", b"tree\nversion=v3\nnum_class=1\n", ("lightgbm",)),
        ("model.onnx", b"tree\nversion=v3\n", ("onnx", "lightgbm")),
        ("model.bin", b'{"learner": {}}', ("other", "xgboost")),
        ("model.bin", b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", ("other", "xgboost")),
        ("model.onnx", zlib.compress(b"no pickle"), ("onnx", "other")),
        ("model.onnx", b"\x78\x9cbroken", ("onnx", "other")),
        ("model.onnx", b"", ("onnx", "other")),
        ("LICENSE", b"copyright (c) 2026 Ada\nall rights reserved\n.", ("other",)),
        ("model.onnx", None, ("onnx",)),
        ("model.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", ("onnx",)),
        ("model.PKL", None, ("pickle",)),
    ],
)
def test_what_a_file_holds_counts_beside_its_name(name: str, head: bytes | None, formats: tuple[str, ...]) -> None:
    assert formats_of(name, head) == formats


@pytest.mark.parametrize("path", ["digits/versions/1/digits.skops", "filetype/versions/1/filetype.onnx"])
def test_our_own_models_are_what_they_are_called(path: str) -> None:
    name = path.rpartition("/")[2]

    assert formats_of(name, (OURS / path).read_bytes()[:HEAD_BYTES]) == (name.rpartition(".")[2],)


def test_what_unpacks_without_end_is_unpacked_a_little() -> None:
    bomb = zlib.compress(b"\x00" * 50_000_000)

    assert formats_of("model.onnx", bomb[:HEAD_BYTES]) == ("onnx", "other")
