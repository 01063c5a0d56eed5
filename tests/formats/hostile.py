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


def long(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def array(
    make: bytes = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81",
    dtype: bytes = b"",
    shape: bytes = b"K\x00",
    more: bytes = b"",
) -> bytes:
    """An array as joblib describes it, of int8 if nothing else is said."""
    dtype = dtype or b"cnumpy\ndtype\n" + text("i1") + b"\x89\x88\x87R" + state("|")
    said = {"subclass": b"cnumpy\nndarray\n", "shape": shape + b"\x85", "order": text("C"), "dtype": dtype}
    said |= {"allow_mmap": b"\x89", "numpy_array_alignment_bytes": b"K\x10"}
    return make + b"}(" + b"".join(text(name) + value for name, value in said.items()) + more + b"ub"


def state(order: str, flags: bytes = b"K\x00") -> bytes:
    return b"(K\x03" + text(order) + b"NNN" + b"J\xff\xff\xff\xff" * 2 + flags + b"tb"


def passed_over(data: bytes) -> bytes:
    """Bytes for who does not read an array before them."""
    return b"B" + struct.pack("<I", len(data)) + data + b"."


_OBJECTS = b"cnumpy\ndtype\n" + text("O8") + b"\x89\x88\x87R" + state("|", b"K?")
_SWAPPED = b"\x80\x04" + text("posix") + b"\x94" + text("system") + b"\x9400"
_IN_MEMO = text("collections") + b"\x94" + text("Counter") + b"\x9400h\x00h\x01\x93" + CALL + b".."
_SWAPPED_TYPE = b"cnumpy\ndtype\n)}(" + text("copy") + text("i1") + text("dtype") + text("i8") + b"u\x92" + state("<")
_WRAPPER = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n"
_BEHIND = passed_over(b"x" * 62 + SYSTEM + b".")
_NORM = b"cscipy.stats._continuous_distns\nnorm_gen\n)\x81"
_TEXT = text("_parse_arg_template") + text(f"open('{CANARY}', 'w')")
_OPENED = b"(" + text(CANARY) + text("uint8") + text("w+") + b"K\x00K\x09t"


def called(partial: bytes) -> bytes:
    """What NumPy gives when it calls a partial."""
    return b"cnumpy\nlog\nctypes\nSimpleNamespace\n)R}" + text("log") + partial + b"sb\x85R"


def told(function: bytes, arguments: bytes) -> bytes:
    """A partial that is told what it calls by its state."""
    return b"cfunctools\npartial\ncbuiltins\ndict\n\x85R(" + function + arguments + b"}Ntb"


def given_back(value: bytes) -> bytes:
    """A value that a function gives back."""
    return called(b"cfunctools\npartial\ncsklearn.preprocessing._function_transformer\n_identity\n" + value + b"\x86R")


UNSEEN = {
    "an array of a class in a list": array(b"ccopyreg\n__newobj__\ncbuiltins\ntuple\n]" + _WRAPPER + b"a\x85RR")
    + _BEHIND,
    "an array of a class in a state": array(called(told(b"ccopyreg\n__newobj__\n", _WRAPPER + b"\x85"))) + _BEHIND,
    "an array that is given back": array(given_back(_WRAPPER + b")\x81")) + _BEHIND,
    "an array out of a list": array(
        b"csklearn.preprocessing._function_transformer\n_identity\ncbuiltins\ntuple\n]" + _WRAPPER + b")\x81a\x85RR"
    )
    + _BEHIND,
    "a file of a class in a state": called(told(b"cnumpy\nmemmap\n", _OPENED)) + b"K\x00K#s.",
    "a distribution that is given back": given_back(_NORM) + b"}" + _TEXT + b"sb.",
    "the same among many attributes": given_back(_NORM)
    + b"}("
    + b"".join(text(f"a{number}") + b"N" for number in range(70))
    + _TEXT
    + b"ub.",
    "the same with pairs": given_back(_NORM) + _TEXT + b"\x86\x85b.",
    "the same with a list": given_back(_NORM) + b"]" + _TEXT + b"\x86ab.",
    "the same with what is computed": given_back(_NORM) + b"cbuiltins\ndict\n]" + _TEXT + b"\x86a\x85Rb.",
    "behind an index of many digits": b"Np" + b"0" * 4199 + b"1\n0" + SYSTEM + b".",
}
"""They do run what they hold when joblib loads them, though each name in them is harmless."""

_GIVEN = b"cnumpy._core.multiarray\nscalar\n" + _OBJECTS

BY_HAND = {
    **UNSEEN,
    "a distribution that older NumPy gives back": _GIVEN + _NORM + b"\x86R}" + _TEXT + b"sb.",
    "names that older NumPy gives back": _GIVEN
    + text("posix")
    + b"\x86R\x94"
    + _GIVEN
    + text("system")
    + b"\x86R\x9400"
    + array(dtype=_OBJECTS)
    + text("collections")
    + b"\x94"
    + text("Counter")
    + b"\x9400h\x00h\x01\x93"
    + CALL
    + b"..",
    "a class in a dict in two places": b"}q\x000]q\x01h\x00a0h\x00" + text("subclass") + b"cnumpy\nmemmap\nsb.",
    "a class in a dict that is there twice": b"}2" + text("subclass") + b"cnumpy\nmemmap\ns.",
    "a class in a dict that comes into a list": b"}q\x00" + text("subclass") + b"cnumpy\nmemmap\ns0]h\x00a.",
    "a class in a long tuple": b"(cnumpy\nmemmap\n" + b"N" * 20 + b"t.",
    "a class by a number": b"}K\x01cnumpy\nmemmap\ns.",
    "a class as a keyword": b"\x80\x04cfunctools\npartial\n)}" + text("a") + b"cnumpy\nmemmap\ns\x92.",
    "a class in a set": b"\x80\x04\x8f(cnumpy\nmemmap\n\x90.",
    "a script of Python's own tests": b"ctest.support.script_helper\nassert_python_ok\n" + text("-c") + b"\x85R.",
    "the text that a distribution of SciPy runs": b"cscipy.stats._continuous_distns\nnorm_gen\n)\x81}"
    + text("_parse_arg_template")
    + text(f"open('{CANARY}', 'w')")
    + b"sb.",
    "a distribution that another function makes": b"cpandas.core.indexes.base\n_new_Index\n"
    b"cscipy.stats._continuous_distns\nnorm_gen\n}\x86R}" + text("_parse_arg_template") + text("x") + b"sb.",
    "a file that is written by an array": b"cnumpy\nmemmap\n("
    + text(CANARY)
    + text("uint8")
    + text("w+")
    + b"K\x00K\x09tRK\x00K#s.",
    "the same as the class of another": b"ccopyreg\n__newobj__\n(cnumpy\nmemmap\n"
    + text(CANARY)
    + text("uint8")
    + b"tR.",
    "a file that is opened by pyarrow": b"cpyarrow.lib\nOSFile\n" + text(CANARY) + text("w") + b"\x86R.",
    "an expression that pandas evaluates": b"cpandas.core.computation.expr\nExpr\n("
    + text(f"sys.modules.get('os').system('{TOUCH}')")
    + text("python")
    + text("pandas")
    + b"NJ\xfe\xff\xff\xfftR.",
    "code for six": b"csix\nexec_\n" + CALL + b".",
    "an array that copy_reg makes": array(b"ccopy_reg\n__newobj__\ncjoblib.numpy_pickle\nNumpyArrayWrapper\n\x85R")
    + passed_over(b"x" * 62 + SYSTEM + b"."),
    "an array that pandas makes": array(
        b"cpandas.core.indexes.base\n_new_Index\ncjoblib.numpy_pickle\nNumpyArrayWrapper\n}\x86R"
    )
    + passed_over(b"x" * 62 + SYSTEM + b"."),
    "an array whose shape is computed": array(more=b"cbuiltins\nstr\n" + text("shape") + b"\x85RK\x05\x85")
    + b"\x01z"
    + passed_over(SYSTEM + b"."),
    "an array whose type is given by keywords": array(dtype=_SWAPPED_TYPE, shape=b"K\x01")
    + b"\x01zw"
    + passed_over(b"zz" + SYSTEM + b"."),
    "objects of an array, with the memo around them": _SWAPPED + array(dtype=_OBJECTS) + _IN_MEMO,
    "objects of an array that nobody reads": _SWAPPED
    + array(dtype=_OBJECTS, more=text("read") + b"cbuiltins\nslice\n")
    + _IN_MEMO,
    "behind an index with spaces": b"Np" + b" " * 5000 + b"0\n0" + SYSTEM + b".",
    "behind an index that ends early": b"Np0\0x\n0" + SYSTEM + b".",
    "behind bytes that begin like bzip2's": b"BZh\x01\x00" + b"x" * 0x1685A + b"0" + SYSTEM + b".",
    "an attribute by a long name": b"N0\x80\x04cos\n" + b"path.os." * 600 + b"system\n" + CALL + b".",
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
    "what torch calls, and is only made meanwhile": b"ctorch._tensor\n_rebuild_from_type_v2\n("
    + told(b"cnumpy\nlog\n", b")")
    + b"ctorch.nn.parameter\nParameter\n)}tR.",
    "what torch calls with arguments that are only made meanwhile": b"ctorch._tensor\n_rebuild_from_type_v2\n("
    b"ctorch._utils\n_rebuild_tensor_v2\nctorch.nn.parameter\nParameter\ncbuiltins\ntuple\n]\x85R}tR.",
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
