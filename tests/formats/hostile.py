"""Pickles that run something when they are loaded: made by `__reduce__`, or of opcodes by hand. No test loads one."""

import os
import pickle
import struct
from collections import OrderedDict

CANARY = "mmgit-canary"
"""The file that one of them makes in the current folder, once it is loaded."""


class Reduced:
    """Pickles as a call of a function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self._call


def text(value: str) -> bytes:
    data = value.encode()
    return b"\x8c" + bytes([len(data)]) + data


TOUCH = f"touch {CANARY}"
CALL = text(TOUCH) + b"\x85R"
SYSTEM = b"cposix\nsystem\n" + CALL


def framed(data: bytes) -> bytes:
    return b"\x80\x04\x95" + struct.pack("<Q", len(data)) + data


BY_REDUCE = {
    f"{name} by protocol {protocol}": pickle.dumps(value, protocol)
    for protocol in range(6)
    for name, value in {
        "os.system": Reduced(os.system, TOUCH),
        "eval": Reduced(eval, f"open('{CANARY}', 'w')"),
        "exec in a list in a dict": {"a": [Reduced(exec, f"open('{CANARY}', 'w')")]},
        "getattr": Reduced(getattr, Reduced(__import__, "os"), "system"),
        "behind what is harmless": [OrderedDict(a=1), {"x": (1.5, b"y" * 300)}, Reduced(os.system, TOUCH)],
    }.items()
}
BY_HAND = {
    "GLOBAL": b"\x80\x02" + SYSTEM + b".",
    "protocol 0 without a mark of it": b"cos\nsystem\n(S'" + TOUCH.encode() + b"'\ntR.",
    "INST": b"(S'" + TOUCH.encode() + b"'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'" + TOUCH.encode() + b"'\no.",
    "NEWOBJ": b"\x80\x02csubprocess\nPopen\n(S'" + TOUCH.encode() + b"'\nt\x81.",
    "NEWOBJ_EX": b"\x80\x04" + text("subprocess") + text("Popen") + b"\x93)}" + text("args") + text("x") + b"s\x92.",
    "STACK_GLOBAL": b"\x80\x04" + text("posix") + text("system") + b"\x93" + CALL + b".",
    "names from the memo": b"\x80\x04"
    + text("os")
    + b"\x94"
    + text("system")
    + b"\x94"
    + b"00h\x00h\x01\x93"
    + CALL
    + b".",
    "names put, taken and doubled": b"\x80\x04" + text("system") + b"q\xff0" + text("os") + b"h\xff\x93" + CALL + b".",
    "names as old strings": b"U\x02osU\x06system\x93" + CALL + b".",
    "names as lines": b"Vos\nVsys\\u0074em\n\x93" + CALL + b".",
    "as Python 2 names it": b"c__builtin__\neval\n" + CALL + b".",
    "an attribute of what is harmless": b"\x80\x04" + text("collections") + text("abc.sys.modules") + b"\x93.",
    "a function of a known package": b"\x80\x04"
    + text("numpy.f2py.crackfortran")
    + text("myeval")
    + b"\x93"
    + CALL
    + b".",
    "another load": b"\x80\x04" + text("joblib") + text("load") + b"\x93" + CALL + b".",
    "code": b"\x80\x04" + text("types") + text("FunctionType") + b"\x93.",
    "operator": b"\x80\x04" + text("operator") + text("attrgetter") + b"\x93" + text("system") + b"\x85R.",
    "an extension of copyreg": b"\x80\x02\x82\x07(tR.",
    "BUILD of a module": b"\x80\x02csklearn.svm\nSVC\n}" + text("fit") + SYSTEM + b"sb.",
    "in a frame": framed(SYSTEM + b"."),
    "before an opcode that is none": b"\x80\x02" + SYSTEM + b"\xff",
    "before the file ends": b"\x80\x02" + SYSTEM,
    "before a pop of nothing": b"\x80\x02" + SYSTEM + b"000000.",
    "behind a first pickle": pickle.dumps([1, 2]) + b"\x80\x02" + SYSTEM + b".",
    "behind bytes that are longer than a block": b"\x80\x04B"
    + struct.pack("<I", 2**19)
    + b"x" * 2**19
    + b"0"
    + SYSTEM
    + b".",
    "behind a line that is longer than any": b"V" + b"x" * 2**21 + b"\n0" + SYSTEM + b".",
    "behind a number of many digits": b"L" + b"1" * 2**17 + b"L\n0" + SYSTEM + b".",
    "behind a number that readers disagree about": b"I010\n0" + SYSTEM + b".",
    "behind a text in quotes": b"S'" + b"x" * 2**21 + b"'\n0" + SYSTEM + b".",
    "behind a memo of an index with a zero": b"Np010\n0g010\n0" + SYSTEM + b".",
    "by a name that is long": text("builtins")
    + b"X"
    + struct.pack("<I", 5006)
    + b"object"
    + b".__class__" * 500
    + b"\x93.",
    "by a name that is rather long": text("builtins") + text("object" + ".__doc__" * 30) + b"\x93.",
    "as the key of a dict": b"\x80\x02}(" + SYSTEM + b"K\x01u.",
    "as a persistent id": b"\x80\x02" + SYSTEM + b"Q.",
}
