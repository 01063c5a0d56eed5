"""What loading a pickle would import: its steps are followed with stand-ins for values, and none is carried out.

A stream comes in, at the beginning of a pickle; names and doubts go into `Found`. Where a step cannot be followed, the
doubt says where and why: what comes behind it is unknown.
"""

import pickletools
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mmgit.formats import arrays
from mmgit.formats.found import Found
from mmgit.formats.opcodes import OPAQUE, steps
from mmgit.formats.stream import Broken, Stream
from mmgit.formats.values import LOST, Made, Name

_MARK = type("Mark", (), {})()
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*").fullmatch
_LETTERS_MAX = 400
_KEYS_MAX = 64
"""More than a stand-in for attributes has."""
_SIZE_MAX = 16
"""The same for a tuple."""
_DEPTH_MAX = 8


def follow(stream: Stream, found: Found, depth: int = 0) -> None:
    """Follow one pickle to its end. Raises `Broken`."""
    if depth > _DEPTH_MAX:
        raise Broken("pickles in pickles in it have no end", stream.at)
    _Machine(stream, found, depth).run()


class _Machine:
    """A stack and a memo, as an unpickler has them."""

    def __init__(self, stream: Stream, found: Found, depth: int) -> None:
        self._stream, self._found, self._depth = stream, found, depth
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._frame_end = 0
        self._at = 0

    def run(self) -> None:
        actions = _ACTIONS
        for at, name, argument in steps(self._stream):
            self._at = at
            if name in _PUSHED:
                self._stack.append(argument)
            elif name != "STOP":
                actions[name](self, argument)
        self._pop()
        if self._depth and self._frame_end > self._stream.at:
            raise Broken("it ends within a frame", self._at)

    def _pop(self) -> Any:  # noqa: ANN401 - stand-ins for any value
        value = self._stack.pop() if self._stack else _MARK
        if value is _MARK:
            raise Broken("it takes a value that is not there", self._at)
        return value

    def _pop_to_mark(self) -> list[Any]:
        values: list[Any] = []
        while self._stack:
            if (value := self._stack.pop()) is _MARK:
                return values[::-1]
            values.append(value)
        raise Broken("it takes a mark that is not there", self._at)

    def _top(self) -> Any:  # noqa: ANN401 - as above
        value = self._pop()
        self._stack.append(value)
        return value

    def doubt(self, reason: str) -> None:
        """Say that something cannot be told."""
        self._found.doubt(reason, self._at)

    def protocol(self, _: object) -> None:
        """Changes nothing: names that Python 3 has renamed are judged by both of theirs."""

    def frame(self, size: Any) -> None:  # noqa: ANN401 - as above
        self._frame_end = self._stream.at + size

    def mark(self, _: object) -> None:
        self._stack.append(_MARK)

    def pop(self, _: object) -> None:
        if not self._stack:
            raise Broken("it takes a value that is not there", self._at)
        self._stack.pop()

    def pop_mark(self, _: object) -> None:
        self._pop_to_mark()

    def duplicate(self, _: object) -> None:
        self._stack.append(self._top())

    def put(self, index: Any) -> None:  # noqa: ANN401 - as above
        self._memo[index] = self._top()

    def memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._top()

    def get(self, index: Any) -> None:  # noqa: ANN401 - as above
        if index not in self._memo:
            raise Broken("it takes a value that is not there", self._at)
        self._stack.append(self._memo[index])

    def opaque_of_one(self, _: object) -> None:
        self._pop()
        self._stack.append(OPAQUE)

    def opaque_of_many(self, _: object) -> None:
        self._pop_to_mark()
        self._stack.append(OPAQUE)

    def extension(self, number: object) -> None:
        self.doubt(f"extension {number} of copyreg, which only the process that loads it knows")
        self._stack.append(OPAQUE)

    def empty_tuple(self, _: object) -> None:
        self._stack.append(())

    def tuple_of(self, _: object, count: int) -> None:
        values = [self._pop() for _ in range(count)]
        self._stack.append(tuple(values[::-1]))

    def tuple_to_mark(self, _: object) -> None:
        values = self._pop_to_mark()
        self._stack.append(tuple(values) if len(values) <= _SIZE_MAX else OPAQUE)

    def empty_dict(self, _: object) -> None:
        self._stack.append({})

    def dict_to_mark(self, _: object) -> None:
        values = self._pop_to_mark()
        made: dict[str, Any] = {}
        self._stack.append(made)
        self._set(made, values)

    def set_item(self, _: object) -> None:
        value, key = self._pop(), self._pop()
        self._set(self._top(), [key, value])

    def set_items(self, _: object) -> None:
        values = self._pop_to_mark()
        self._set(self._top(), values)

    def _set(self, target: Any, values: list[Any]) -> None:  # noqa: ANN401 - as above
        self._changed(target)
        if len(values) % 2:
            raise Broken("a key in it has no value", self._at)
        if isinstance(target, dict):
            for key, value in zip(values[::2], values[1::2], strict=True):
                if isinstance(key, str):
                    target[key] = value
            if len(target) > _KEYS_MAX:
                target.clear()
                target[LOST] = True

    def append(self, _: object) -> None:
        self._pop()
        self._changed(self._top())

    def append_to_mark(self, _: object) -> None:
        self._pop_to_mark()
        self._changed(self._top())

    def _changed(self, target: Any) -> None:  # noqa: ANN401 - as above
        if isinstance(target, Name):
            self.doubt(f"it changes {target}")

    def imported(self, pair: Any) -> None:  # noqa: ANN401 - as above
        self._stack.append(self._name(*pair))

    def imported_from_stack(self, _: object) -> None:
        name, module = self._pop(), self._pop()
        if isinstance(module, str) and isinstance(name, str):
            self._stack.append(self._name(module, name))
        else:
            self._found.has_imports = True
            self.doubt("it imports what it only names while it is loaded, or by a name that is too long")
            self._stack.append(OPAQUE)

    def _name(self, module: str, name: str) -> Any:  # noqa: ANN401 - as above
        if len(module) + len(name) > _LETTERS_MAX:
            self._found.has_imports = True
            self.doubt("it imports by a name that is too long")
            return OPAQUE
        if not (_NAME(module) and _NAME(name)):
            self.doubt("it imports what has no name that Python gives")
            return OPAQUE
        named = Name(module, name)
        self._found.imports(named, self._at)
        return named

    def instance(self, pair: Any) -> None:  # noqa: ANN401 - as above
        arguments = self._pop_to_mark()
        self._call(self._name(*pair), tuple(arguments))

    def object_to_mark(self, _: object) -> None:
        values = self._pop_to_mark()
        if not values:
            raise Broken("it makes an object of nothing", self._at)
        self._call(values[0], tuple(values[1:]))

    def reduce(self, _: object) -> None:
        arguments, function = self._pop(), self._pop()
        self._call(function, arguments)

    def new_object_with_keywords(self, _: object) -> None:
        keywords, arguments, kind = self._pop(), self._pop(), self._pop()
        given = tuple(keywords.values()) if isinstance(keywords, dict) else ()
        self._call(kind, (*arguments, *given) if isinstance(arguments, tuple) else OPAQUE)

    def _call(self, function: Any, arguments: Any) -> None:  # noqa: ANN401 - as above
        if not isinstance(function, Name):
            self.doubt("it calls what it only makes while it is loaded")
        given = arguments if isinstance(arguments, tuple) else ()
        if any(isinstance(each, Made) and each.is_array for each in given):
            self.doubt("it hands on an array of joblib's before it is read")
        self._stack.append(Made(str(function), given))

    def build(self, _: object) -> None:
        state, target = self._pop(), self._top()
        self._changed(target)
        if not isinstance(target, Made):
            return
        target.take(state)
        if target.is_array:
            if not isinstance(state, dict):
                raise Broken("an array of joblib's is described in a way of its own", self._at)
            self._pop()
            self._stack.append(OPAQUE)
            self._pass_over(target)

    def _pass_over(self, array: Made) -> None:
        """What joblib writes behind an array's description: its bytes, or a pickle of the objects in it."""
        if self._depth or self._frame_end > self._stream.at:
            raise Broken("an array of joblib's where joblib writes none", self._at)
        size_bytes = arrays.size_of(array, self._at)
        if size_bytes is None:
            follow(self._stream, self._found, self._depth + 1)
            return
        padding = self._stream.read(1)[0]
        if not 0 < padding <= arrays.ALIGNMENT_BYTES:  # a number that is no opcode: `pickle.load` ends here
            raise Broken("an array of joblib's begins where none can", self._at)
        self._stream.skip(padding + size_bytes)


_ACTIONS: Mapping[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine.protocol,
    "FRAME": _Machine.frame,
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    "DUP": _Machine.duplicate,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.put),
    "MEMOIZE": _Machine.memoize,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.get),
    **dict.fromkeys(("READONLY_BUFFER", "BINPERSID"), _Machine.opaque_of_one),
    **dict.fromkeys(("LIST", "FROZENSET"), _Machine.opaque_of_many),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _Machine.extension),
    "EMPTY_TUPLE": _Machine.empty_tuple,
    **{f"TUPLE{count}": partial(_Machine.tuple_of, count=count) for count in (1, 2, 3)},
    "TUPLE": _Machine.tuple_to_mark,
    "EMPTY_DICT": _Machine.empty_dict,
    "DICT": _Machine.dict_to_mark,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "APPEND": _Machine.append,
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _Machine.append_to_mark),
    "GLOBAL": _Machine.imported,
    "STACK_GLOBAL": _Machine.imported_from_stack,
    "INST": _Machine.instance,
    "OBJ": _Machine.object_to_mark,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.reduce),
    "NEWOBJ_EX": _Machine.new_object_with_keywords,
    "BUILD": _Machine.build,
}
_PUSHED = {each.name for each in pickletools.opcodes if each.stack_after and not each.stack_before} - _ACTIONS.keys()
"""What only puts a value on the stack."""
