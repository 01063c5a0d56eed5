"""What loading a model file would import is told without loading it, from files of libraries and of enemies alike."""

import bz2
import datetime as dt
import gzip
import importlib
import io
import json
import lzma
import os
import pickle
import pkgutil
import random
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib  # type: ignore[import-untyped]
import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mmgit.formats.found import Found
from mmgit.formats.marks import formats_of
from mmgit.formats.names import verdict_of
from mmgit.formats.policy import risk_of
from mmgit.formats.scan import is_plain, scan
from mmgit.spec.model import ModelFile
from tests.formats.hostile import BY_HAND, BY_REDUCE, CANARY, UNSEEN, Reduced

HOSTILE = BY_REDUCE | BY_HAND
SMALL = [{"id": lzma.FILTER_LZMA1, "dict_size": 4096}]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "bare": bytes,
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "lzma of few bytes": lambda data: lzma.compress(data, lzma.FORMAT_ALONE, filters=SMALL),
}
NUMBERS = np.linspace(0, 1, 400).reshape(100, 4)
CLASSES = np.arange(100) % 3
VALUES: dict[str, Any] = {
    "a forest": RandomForestClassifier(5).fit(NUMBERS, CLASSES),
    "boosting": HistGradientBoostingClassifier(max_iter=5).fit(NUMBERS, CLASSES),
    "a pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(NUMBERS, CLASSES),
    "texts": TfidfVectorizer().fit(["one two", "three"]),
    "neighbours": KNeighborsClassifier(algorithm="kd_tree").fit(NUMBERS, CLASSES),
    "a search": GridSearchCV(SVC(), {"C": [1, 2]}).fit(NUMBERS, CLASSES),
    "a frame": pd.DataFrame({"a": [1.5, None], "b": ["x", "y"], "c": pd.Categorical(["p", "q"])}),
    "objects": np.array(["a", None, {"b": 1}], dtype=object),
    "records": np.array([(1.5, 2, "x")], dtype=[("a", "f8"), ("b", "i4"), ("c", "U3")]),
    "dates and texts": [np.array(["2026-01-01"], "M8[s]"), np.array(["ä", "bb"]), np.array(5.5)],
    "distributions": [stats.uniform(0, 1), stats.gamma(2), stats.loguniform(1, 2)],
    "objects with names": {"copy": np.array([OrderedDict(a=1), dt.date(2026, 1, 1), "a", "a"], dtype=object)},
    "a sparse matrix": sparse.random(20, 20, 0.1, format="csr"),
    "plain values": {"a": (1, 2.5, "x" * 5000, b"y" * 5000, None, True, [1], {2}, frozenset({3}), 2**200, 1j)},
}


def scanned(data: bytes, name: str = "model.pkl") -> tuple[str, Found]:
    return scan(name, io.BytesIO(data))


def dumped(value: object, **how: Any) -> bytes:
    target = io.BytesIO()
    joblib.dump(value, target, **how)
    return target.getvalue()


def zipped(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return target.getvalue()


def array_of(descr: str, rest: bytes) -> bytes:
    """A file of one array of NumPy's, of a type in words that NumPy reads and need not write."""
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + rest


def tarred(**members: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return target.getvalue()


def saved(array: "np.ndarray[Any, Any]") -> bytes:
    target = io.BytesIO()
    np.save(target, array, allow_pickle=True)
    return target.getvalue()


@pytest.fixture(autouse=True)
def _nothing_runs() -> Iterator[None]:
    yield
    assert not any(Path(folder, CANARY).exists() for folder in (".", "/", tempfile.gettempdir()))


@pytest.mark.parametrize("packed", PACKERS.values(), ids=PACKERS.keys())
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_runs_code_is_refused_however_it_is_made_and_packed(data: bytes, packed: Callable[[bytes], bytes]) -> None:
    _, found = scanned(packed(data))

    assert risk_of(found.names, found.doubts).is_refused


@pytest.mark.parametrize("name", ["model.onnx", "model.safetensors", "model.json", "weights", "model.bin", "model.h5"])
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_name_hides_no_pickle(name: str, data: bytes) -> None:
    kind, found = scanned(data, name)

    assert found.doubts if not found.names else kind == "pickle"


@pytest.mark.parametrize(
    "data", [BY_HAND["GLOBAL"], BY_HAND["before an opcode that is none"], *list(BY_REDUCE.values())[:3]]
)
def test_these_pickles_do_run_what_they_hold(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "pickle").write_bytes(data)

    code = "import pickle; pickle.load(open('pickle', 'rb'))"
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=False, capture_output=True)

    assert (tmp_path / CANARY).exists()


@pytest.mark.parametrize("data", UNSEEN.values(), ids=UNSEEN.keys())
def test_joblib_runs_what_these_pickles_hold(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "pickle").write_bytes(data)

    code = "import joblib; joblib.load('pickle')"
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=False, capture_output=True)

    assert (tmp_path / CANARY).exists()


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_models_of_known_libraries_are_followed_to_their_end(value: object) -> None:
    pickles = [pickle.dumps(value, protocol) for protocol in range(6)]
    compressors = (0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3))
    pickles += [dumped(value, compress=each) for each in compressors]
    pickles += [dumped(value, protocol=protocol) for protocol in range(6)]

    for data in pickles:
        kind, found = scanned(data)

        assert kind == "pickle"
        assert (found.doubts, [name for name in found.names if verdict_of(name) != "harmless"]) == ([], [])


def test_the_names_are_those_that_a_load_asks_for() -> None:
    asked: set[str] = set()

    class Asking(pickle._Unpickler):  # noqa: SLF001 - the one that is made of Python
        def find_class(self, module: str, name: str) -> object:
            asked.add(f"{module}:{name}")
            return super().find_class(module, name)

    for value in VALUES.values():
        asked.clear()
        data = pickle.dumps(value)
        Asking(io.BytesIO(data)).load()

        assert scanned(data)[1].names.keys() == asked


def test_a_second_pickle_in_a_file_without_an_ending_is_seen() -> None:
    assert not is_plain("model.bin", io.BytesIO(b"N." + BAD))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_comes_before_the_damage_of_a_packed_file_is_seen(pack: Callable[[bytes], bytes]) -> None:
    data = b"B" + (10**5).to_bytes(4, "little") + bytes(10**5) + b"0" + BAD
    padded = pack(data + bytes(random.Random(1).randbytes(10**6)))  # noqa: S311 - no secret

    kind, found = scanned(padded[: -(10**5)], "model.bin")

    assert (kind, [*found.names]) == ("pickle", ["posix:system"])


def test_arrays_of_a_mapped_file_pass(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "rows", dtype="f8", mode="w+", shape=(4,))

    for data in (dumped({"a": mapped}), pickle.dumps(mapped, 1), pickle.dumps(mapped, 5)):
        _, found = scanned(data)

        assert (found.doubts, [name for name in found.names if verdict_of(name) != "harmless"]) == ([], [])


def test_what_is_no_pickle_passes() -> None:
    files = {
        "model.onnx": (b"\x08\x08\x12\x07pytorch" + b"weights" * 1000, "onnx"),
        "model.skops": (skops.io.dumps(VALUES["a pipeline"]), "skops"),
        "sparse.skops": (skops.io.dumps(VALUES["texts"]), "skops"),
        "model.json": (b'{"learner":{"attributes":{}}}', "xgboost"),
        "model.ubj": (b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", "xgboost"),
        "model.txt": (b"tree\nversion=v4\nnum_class=1\n", "lightgbm"),
        "model.safetensors": (b"\x10\x00\x00\x00\x00\x00\x00\x00" + b'{"a":{"dtype":1}}' + bytes(100), "safetensors"),
        "rows.npy": (saved(np.array([("c", 1.5)], dtype=[("Object", "U1"), ("b", "f8")])), "other"),
        "weights.bin": (b"]\x00" + b"\xff" * 99, "other"),
        "LICENSE": (b"copyright (c) 2026 Ada\nall rights reserved\n.", "other"),
        "notes.md": (b"(a)\n\nI am 1.\n", "other"),
        "empty": (b"", "other"),
    }

    for name, (data, expected) in files.items():
        kind, found = scanned(data, name)

        assert (name, kind, found.names, found.doubts) == (name, expected, {}, [])


BAD = BY_HAND["GLOBAL"]
OBJECTS = ("'object'", "'i8,object'", "[('a', 'object')]", "('object', (2,))", "{'aO': 1}", "{'aO'}")
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(99)
CALLING = b'{"config": {"layers": [{"class_name": "TFOpLambda", "config": {"name": "a", "function": "%s"}}]}}'
CONTAINERS = {
    "PyTorch": zipped(m__data_pkl=BAD, m__version=b"3"),
    "PyTorch, behind a long line": zipped(m__data_pkl=BY_HAND["behind a line that is longer than any"]),
    "PyTorch, by a long name": zipped(m__data=BY_HAND["by a name that is long"]),
    "PyTorch, by a computed name": zipped(m__data_pkl=b"\x80\x02KaKb\x93."),
    "TorchScript": zipped(m__code__m_py=b"", m__constants_pkl=BAD),
    "an array of objects": saved(np.array([Reduced(os.system, "true")], dtype=object)),
    "arrays of NumPy": zipped(a_npy=saved(np.array([1.5])), b_npy=saved(np.array([Reduced(eval, "1")], dtype=object))),
    "an archive in an archive": zipped(a_npz=zipped(b_npy=saved(np.array([Reduced(eval, "1")], dtype=object)))),
    "a skops file with one more": zipped(schema_json=b"{}", model_pkl=BAD),
    "a pickle with an archive behind it": pickle.dumps([1]) + zipped(a=BAD),
    "PyTorch of long ago": tarred(pickle=BAD),
    "an archive of tar's, packed": gzip.compress(tarred(model=BAD)),
    "an archive behind a picture": b"\x89PNG" + zipped(data_pkl=BAD),
    "joblib's, with an object array": dumped([np.array([Reduced(os.system, "true")], dtype=object), NUMBERS]),
    "joblib's, behind an array": dumped([NUMBERS, Reduced(os.system, "true")]),
    "a file of keras": zipped(metadata_json=b"{}", config_json=b'{"layers": [{"class_name": "Lambda"}]}'),
    "a module that keras imports": zipped(
        metadata_json=b"{}", config_json=b'{"module": "os", "class_name": "system", "config": {}}'
    ),
    "a function that keras unpacks": zipped(metadata_json=b"{}", config_json=b'{"a": [{"class_name": "__lambda__"}]}'),
    "a file of keras without what it does not read": zipped(config_json=b'{"class_name": "Lambda"}'),
    "a pickle that keras unpacks": zipped(
        metadata_json=b"{}", config_json=b'{"module": "keras.layers", "class_name": "TorchModuleWrapper"}'
    ),
    "another model that keras loads": zipped(metadata_json=b"{}", config_json=b'{"class_name": "TFSMLayer"}'),
    "a function that keras calls": zipped(metadata_json=b"{}", config_json=CALLING % b"io.write_file"),
    "a function that keras slices with": zipped(
        config_json=b'{"class_name": "SlicingOpLambda", "config": {"function": "load_library"}}'
    ),
    "a function that keras calls, without a name": zipped(config_json=b'{"class_name": "TFOpLambda", "config": 1}'),
    "a class whose method keras calls": zipped(config_json=b'{"class_name": "ClassMethod", "cls_symbol": "Module"}'),
    "an operation of a graph that keras runs": zipped(config_json=b'{"class_name": "TensorFlowOpLayer"}'),
    "an hdf5 file with a function": HDF5 + CALLING % b"keras.utils.get_file",
    "an hdf5 file with a function far from its layer": HDF5
    + b'{"function": "raw_ops.WriteFile"}'
    + bytes(2**21)
    + CALLING % b"math.add",
    "an hdf5 file with a function that is none": HDF5 + b'{"class_name": "TFOpLambda", "function": {}}',
    "an hdf5 file with a wide gap": b"\x89HDF\r\n\x1a\n"
    + bytes(2**20 - 700)
    + b'{"class_name": '
    + b" " * 1000
    + b'"Lambda"}',
    **{f"an array of type {descr}": array_of(descr, BAD) for descr in OBJECTS},
    "the same in an hdf5 file": b"\x89HDF\r\n\x1a\n" + bytes(99) + b'{"class_name": "__lambda__"}',
    "an hdf5 file with a name in other letters": b"\x89HDF\r\n\x1a\n" + bytes(99) + rb'{"class_name": "\u004cambda"}',
    "an hdf5 file with a module": b"\x89HDF\r\n\x1a\n"
    + bytes(2**20 - 16)
    + b'{"module": "os", "class_name": "system"}',
    "an hdf5 file of keras": b"\x89HDF\r\n\x1a\n" + bytes(2**20 - 8) + b'{"class_name": "Lambda"}',
    "nested deeper than any": zipped(a=zipped(b=zipped(c=zipped(d=BAD)))),
    "the first of PyTorch's five pickles": bytes.fromhex("80028a0a6cfc9c46f9206aa850192e") + pickle.dumps(1) + BAD,
}


@pytest.mark.parametrize("data", CONTAINERS.values(), ids=CONTAINERS.keys())
@pytest.mark.parametrize("name", ["model.bin", "model.pt", "model.keras"])
def test_what_runs_code_is_found_in_what_holds_it(name: str, data: bytes) -> None:
    _, found = scanned(data, name)

    assert risk_of(found.names, found.doubts).is_refused


@pytest.mark.parametrize("function", ["math.add", "__operators__.getitem", "compat.v1.transpose", "cast", "nn.relu"])
def test_functions_of_tensorflow_that_only_compute_pass(function: str) -> None:
    layer = CALLING % function.encode()

    cut = HDF5 + bytes(2**20 - len(HDF5) - layer.index(b'"%b"' % function.encode())) + layer
    for data in (zipped(metadata_json=b"{}", config_json=layer), HDF5 + layer, cut):
        kind, found = scanned(data, "model.keras")

        assert (kind, [*found.names], found.doubts) == ("keras", [f"tensorflow:{function}"], [])
        assert not risk_of(found.names, found.doubts).is_refused


def test_tensors_of_a_class_are_followed_to_their_end() -> None:
    storage = b"ctorch\nFloatStorage\n0"
    tensor = b"(NK\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)Rt"
    data = (
        b"\x80\x02"
        + storage
        + b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch.nn.parameter\nParameter\n"
        + tensor
        + b"}X\x01\x00\x00\x00aK\x01stR."
    )

    _, found = scanned(data)

    assert (found.doubts, [name for name in found.names if verdict_of(name) != "harmless"]) == ([], [])


@pytest.mark.parametrize("descr", OBJECTS)
def test_numpy_reads_objects_of_such_a_type(descr: str) -> None:
    with pytest.raises(pickle.UnpicklingError):
        np.load(io.BytesIO(array_of(descr, b"no pickle")), allow_pickle=True)

    assert formats_of("rows.npy", array_of(descr, b"")) == ("other", "pickle")


@pytest.mark.parametrize("name", ["model.keras", "model.torchscript", "model.bin"])
def test_no_other_file_hides_the_pickle_in_an_archive(name: str) -> None:
    for more in ({"config_json": b"{}", "metadata_json": b"{}"}, {"m__code__m_py": b""}):
        kind, found = scanned(zipped(m__data_pkl=pickle.dumps([1]), **more), name)

        assert (kind, found.doubts) == ("pickle", [])


def test_files_of_pytorch_before_1_6_end_with_numbers() -> None:
    head = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
    rest = [pickle.dumps(each) for each in (1001, {"little_endian": True}, OrderedDict(a=1), ["0"])]

    kind, found = scanned(head + b"".join(rest) + b"\xff" * 100, "model.pth")

    assert (kind, found.doubts) == ("pickle", [])


def edited(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) >= 1
    return data.replace(old, new, 1)


ARRAY = dumped(np.arange(1000, dtype="f8"))
UNLIKE_JOBLIB = {
    "a larger shape": edited(ARRAY, b"M\xe8\x03", b"M\xe8\x7f"),
    "a smaller shape": edited(ARRAY, b"M\xe8\x03", b"M\xe7\x03"),
    "another type": edited(ARRAY, b"\x8c\x02f8", b"\x8c\x02f4"),
    "a type that is none": edited(ARRAY, b"\x8c\x02f8", b"\x8c\x02x8"),
    "no padding": edited(ARRAY, b"\x8c\x1bnumpy_array_alignment_bytes", b"\x8c\x1bnumpy_array_alignment_bytez"),
    "packed with something behind it": zlib.compress(ARRAY) + BAD,
    "packed, and cut": zlib.compress(ARRAY)[:-20],
    "LZ4": b"\x04\x22\x4d\x18" + ARRAY,
    "what joblib wrote before 0.10": b"ZF0x" + ARRAY,
    "the same in other digits": b"ZF1f" + ARRAY,
}


@pytest.mark.parametrize("data", UNLIKE_JOBLIB.values(), ids=UNLIKE_JOBLIB.keys())
def test_what_joblib_would_read_otherwise_cannot_be_told(data: bytes) -> None:
    _, found = scanned(data, "model.joblib")

    assert found.doubts


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".tests" not in found.name and "conftest" not in found.name:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    yield importlib.import_module(found.name)
                except ImportError:
                    continue


def test_what_is_harmless_of_scikit_learn_is_its_own_or_makes_a_plain_value() -> None:
    plain = (
        "abc",
        "builtins",
        "collections",
        "numbers",
        "numpy",
        "pandas",
        "pathlib",
        "scipy",
        "typing",
        "sklearn",
        "_cyutility",
        "inspect",
        "io",
        "_io",
        "unittest.case",
        "View.MemoryView",
    )

    strange = {
        f"{module.__name__}:{name}"
        for module in modules_of(importlib.import_module("sklearn"))
        for name, value in vars(module).items()
        if callable(value) and verdict_of(f"{module.__name__}:{name}") == "harmless"
        if not str(getattr(value, "__module__", "")).startswith(plain)
    }

    assert strange == set()


def test_every_name_that_is_found_can_be_recorded() -> None:
    layers = [{"module": "m" * 201, "class_name": "A"}, {"module": "own", "class_name": "Custom>A b"}]
    layers += [{"module": "own", "class_name": ""}]
    files = [zipped(metadata_json=b"{}", config_json=json.dumps(layers).encode()), b"cown\n" + b"m" * 200 + b"\n."]

    for data in (*files, *HOSTILE.values()):
        names = sorted(scanned(data)[1].names)
        ModelFile(path="model.bin", sha256="0" * 64, size=1, format="pickle", imports=tuple(names))

    assert [sorted(scanned(data)[1].names) for data in files] == [
        ["keras:A", "own:Custom_A_b", "own:_"],
        [f"own:{'m' * 200}"],
    ]


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("collections:OrderedDict", "harmless"),
        ("sklearn.svm._classes:SVC", "harmless"),
        ("__builtin__:set", "harmless"),
        ("copy_reg:_reconstructor", "harmless"),
        ("builtins:eval", "dangerous"),
        ("builtins:getattr", "dangerous"),
        ("__builtin__:execfile", "dangerous"),
        ("nt:system", "dangerous"),
        ("posix:system", "dangerous"),
        ("runpy:run_path", "dangerous"),
        ("webbrowser:open", "dangerous"),
        ("shutil:rmtree", "dangerous"),
        ("importlib:import_module", "dangerous"),
        ("operator:methodcaller", "dangerous"),
        ("pickle:loads", "dangerous"),
        ("pip._internal:main", "dangerous"),
        ("test.support.script_helper:assert_python_ok", "dangerous"),
        ("_testcapi:run_in_subinterp", "dangerous"),
        ("_interpreters:exec", "dangerous"),
        ("cloudpickle.cloudpickle:_make_function", "dangerous"),
        ("dill._dill:_create_code", "dangerous"),
        ("numpy:load", "dangerous"),
        ("numpy.testing._private.utils:runstring", "dangerous"),
        ("pandas:read_pickle", "dangerous"),
        ("torch.hub:load", "dangerous"),
        ("sklearn.base:inspect.os.system", "dangerous"),
        ("sklearn.utils.os:system", "dangerous"),
        ("sklearn.callback._transport:Client", "unknown"),
        ("features:LogIncome", "unknown"),
        ("__main__:Model", "unknown"),
    ],
)
def test_a_name_is_judged(name: str, verdict: str) -> None:
    assert verdict_of(name) == verdict


@given(st.binary(max_size=300))
def test_any_bytes_are_followed_to_some_end(data: bytes) -> None:
    scanned(data)
    scanned(data, "model.bin")
    is_plain("model.bin", io.BytesIO(data))


@given(st.sampled_from([*HOSTILE.values(), pickle.dumps(VALUES["a forest"]), ARRAY]), st.randoms(use_true_random=False))
def test_damaged_pickles_are_followed_to_some_end(data: bytes, chance: random.Random) -> None:
    damaged = bytearray(data)
    for _ in range(chance.randrange(4)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)

    is_plain("model.bin", io.BytesIO(damaged))
    scanned(bytes(damaged[: chance.randrange(len(damaged)) + 1]))
