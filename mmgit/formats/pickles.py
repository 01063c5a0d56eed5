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
from mmgit.formats.distributions import is_told_code
from mmgit.formats.found import Found
from mmgit.formats.opcodes import OPAQUE, TEXT, Step, steps
from mmgit.formats.stream import Broken, Stream
from mmgit.formats.values import (
    LOST,
    SHARED,
    Made,
    Name,
    apart,
    first_guarded,
    is_distribution,
    is_handed_a_class,
    may_be_text,
)

_MARK = type("Mark", (), {})()
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*").fullmatch
_LETTERS_MAX = 200
"""Of a module, and of a name in it, as `version.yaml` takes them."""
_KEYS_MAX = 64
"""More than a stand-in for attributes has."""
_SIZE_MAX = 16
"""The same for a tuple."""
_LONG = type("Long", (), {})()
"""A longer one, in which nothing is guarded."""
_DEPTH_MAX = 8
_OPENING = "numpy:memmap"
"""Harmless as the class of an array, but not to be called: what is set in it goes into a file."""
_REBUILDING = "torch._tensor:_rebuild_from_type_v2"
"""It calls a function with arguments, makes a class of what comes of that, and tells it a state."""
_REBUILDING_ARGUMENTS = 4
_SUBCLASS = "subclass"
"""What joblib calls the class of an array."""


def follow(stream: Stream, found: Found, depth: int = 0) -> None:
    """Follow one pickle to its end. Raises `Broken`."""
    if depth > _DEPTH_MAX:
        raise Broken("pickles in pickles in it have no end", stream.at)
    _Machine(stream, found, depth).run()


class _Machine:
    """A stack and a memo, as an unpickler has them."""

    def __init__(self, stream: Stream, found: Found, depth: int) -> None:
        self.stream, self.found, self.depth = stream, found, depth
        self._stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self._frame_end = 0
        self._at = 0

    def run(self, other: "_Continued | None" = None) -> None:
        """Follow a pickle; so does the `other` one, as long as it can."""
        for step in steps(self.stream):
            self.take(step)
            if other:
                try:
                    other.take(step)
                except Broken:
                    other = None
        self._pop()
        if self.depth and self._frame_end > self.stream.at:
            raise Broken("it ends within a frame", self._at)

    def take(self, step: Step) -> None:
        """Follow one step."""
        self._at, name, argument = step
        if name in _PUSHED:
            self._stack.append(argument)
        elif name != "STOP":
            self._actions()[name](self, argument)

    def _actions(self) -> Mapping[str, Callable[[Any, Any], None]]:
        return _ACTIONS

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
        self.found.doubt(reason, self._at)

    def refuse(self, reason: str) -> None:
        """Say that something may run code, whatever else there is."""
        self.found.doubt(reason, self._at)

    def protocol(self, _: object) -> None:
        """Changes nothing: names that Python 3 has renamed are judged by both of theirs."""

    def frame(self, size: Any) -> None:  # noqa: ANN401 - as above
        self._frame_end = self.stream.at + size

    def mark(self, _: object) -> None:
        self._stack.append(_MARK)

    def pop(self, _: object) -> None:
        if not self._stack:
            raise Broken("it takes a value that is not there", self._at)
        self._stack.pop()

    def pop_mark(self, _: object) -> None:
        self._pop_to_mark()

    def duplicate(self, _: object) -> None:
        self._stack.append(self._shared(self._top()))

    def put(self, index: Any) -> None:  # noqa: ANN401 - as above
        self.memo[index] = self._top()

    def memoize(self, _: object) -> None:
        self.memo[self._memoized()] = self._top()

    def _memoized(self) -> int:
        return len(self.memo)

    def get(self, index: Any) -> None:  # noqa: ANN401 - as above
        if index not in self.memo:
            raise Broken("it takes a value that is not there", self._at)
        self._stack.append(self._shared(self.memo[index]))

    def _shared(self, value: Any) -> Any:  # noqa: ANN401 - as above
        """A value that is in two places from here on."""
        if isinstance(value, dict):
            self._lose(value)
            value[SHARED] = True
        return value

    def _lose(self, *values: Any) -> None:  # noqa: ANN401 - as above
        """Values go where they are followed no more: nothing may that is guarded."""
        guarded = first_guarded(values)
        if isinstance(guarded, Name):
            self.refuse(f"it hands on {guarded}")
        elif guarded:
            self.doubt("it hands on an array of joblib's before it is read")

    def opaque_of_one(self, _: object) -> None:
        self._pop()
        self._stack.append(OPAQUE)

    def text_of_one(self, _: object) -> None:
        self._lose(self._pop())
        self._stack.append(TEXT)

    def persistent(self, _: object) -> None:
        self._stack.append(TEXT)

    def opaque_of_many(self, _: object) -> None:
        self._lose(*self._pop_to_mark())
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
        if len(values) > _SIZE_MAX:
            self._lose(*values)
        self._stack.append(tuple(values) if len(values) <= _SIZE_MAX else _LONG)

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
        if not isinstance(target, dict):
            self._lose(*values)
            return
        for key, value in zip(values[::2], values[1::2], strict=True):
            if key != _SUBCLASS or str(value) != _OPENING or SHARED in target:
                self._lose(key, value)
            if isinstance(key, str):
                target[key] = value
            elif not isinstance(key, int):  # whatever it is may be equal to a text
                target[LOST] = True
        if len(target) > _KEYS_MAX:
            self._lose(target)
            target.clear()
            target[LOST] = True

    def append(self, _: object) -> None:
        self._lose(self._pop())
        self._changed(self._top())

    def append_to_mark(self, _: object) -> None:
        self._lose(*self._pop_to_mark())
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
            self.found.has_imports = True
            self.refuse("it imports what it only names while it is loaded, or by a name that is too long")
            self._stack.append(OPAQUE)

    def _name(self, module: str, name: str | None) -> Any:  # noqa: ANN401 - as above
        if name is None or max(len(module), len(name)) > _LETTERS_MAX:
            self.found.has_imports = True
            self.refuse("it imports by a name that is too long")
            return OPAQUE
        if not (_NAME(module) and _NAME(name)):
            self.doubt("it imports what has no name that Python gives")
            return OPAQUE
        named = Name(module, name)
        self.found.imports(named, self._at)
        self.found.has_distributions |= is_distribution(str(named))
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
        self._lose(keywords)
        self._call(kind, arguments)
        if keywords != {}:
            self._top().arguments = ()  # which of them is which is not known

    def _call(self, function: Any, arguments: Any) -> None:  # noqa: ANN401 - as above
        if not isinstance(function, Name):
            self.doubt("it calls what it only makes while it is loaded")
        is_known = isinstance(arguments, tuple) and not isinstance(arguments, Name)
        if str(function) == _REBUILDING and is_known and len(arguments) == _REBUILDING_ARGUMENTS:
            called, _, given, state = arguments
            self._lose(arguments)
            self._call(called, given)
            self._stack.append(state)
            self.build(None)
            return
        if not is_known and arguments is not _LONG:
            self.doubt("it calls with what it only makes while it is loaded")
        given = arguments if is_known else (OPAQUE,)
        self._lose(*(given[1:] if is_handed_a_class(str(function)) else given))
        made = Made(str(function), given)
        if made.of == _OPENING:
            self.refuse(f"it calls {_OPENING}, which opens a file")
        self._stack.append(OPAQUE if made.is_number else made)  # a vocabulary has millions

    def build(self, _: object) -> None:
        state, target = self._pop(), self._top()
        self._changed(target)
        if not isinstance(target, Made):
            self._lose(state)
            return
        target.take(state)
        if is_told_code(target, may_be_one=self.found.has_distributions):
            self.refuse("a distribution of scipy.stats in it holds code that is not scipy's")
        if target.is_array:
            if not isinstance(state, dict):
                raise Broken("an array of joblib's is described in a way of its own", self._at)
            self._pop()
            self._stack.append(OPAQUE)
            self._pass_over(target)
        else:
            self._lose(state)

    def _pass_over(self, array: Made) -> None:
        """What joblib writes behind an array's description: its bytes, or a pickle of the objects in it."""
        if self.depth or self._frame_end > self.stream.at:
            raise Broken("an array of joblib's where joblib writes none", self._at)
        size_bytes = arrays.size_of(array, self._at)
        if size_bytes is None:
            _Machine(self.stream, self.found, self.depth + 1).run(_Continued(self))
            return
        padding = self.stream.read(1)[0]
        if not 0 < padding <= arrays.ALIGNMENT_BYTES:  # a number that is no opcode: `pickle.load` ends here
            raise Broken("an array of joblib's begins where none can", self._at)
        self.stream.skip(padding + size_bytes)


class _Continued(_Machine):
    """The steps of an array's objects as `pickle.load` takes them, which knows no arrays: with the memo around them.

    Of a good file that makes no sense, and ends soon. So only what is dangerous is told of it.
    """

    def __init__(self, outer: _Machine) -> None:
        super().__init__(outer.stream, Found(), outer.depth + 1)
        self._told, self._outer, self._new = outer.found, outer.memo, set[int]()

    def _memoized(self) -> int:
        return len(self._outer) + len(self._new)

    def put(self, index: Any) -> None:  # noqa: ANN401 - as above
        super().put(index)
        if index not in self._outer:
            self._new.add(index)

    def memoize(self, _: object) -> None:
        self.put(self._memoized())

    def get(self, index: Any) -> None:  # noqa: ANN401 - as above
        if index in self.memo:
            super().get(index)
        elif index in self._outer:
            self._stack.append(apart(self._outer[index]))
        else:
            raise Broken("it takes a value that is not there", self._at)

    def imported_from_stack(self, argument: object) -> None:
        if not all(may_be_text(each) for each in self._stack[-2:]):
            raise Broken("it imports by what is no text", self._at)
        super().imported_from_stack(argument)

    def _name(self, module: str, name: str | None) -> Any:  # noqa: ANN401 - as above
        from mmgit.formats.names import verdict_of  # noqa: PLC0415 - few have arrays of objects

        named = super()._name(module, name)
        if isinstance(named, Name) and verdict_of(str(named)) == "dangerous":
            self.refuse(f"it imports {named}")
        return named

    def doubt(self, reason: str) -> None:
        """Nothing: it is what makes no sense mostly."""

    def refuse(self, reason: str) -> None:
        self._told.doubt(f"read without joblib, {reason}", self._at)

    def _actions(self) -> Mapping[str, Callable[[Any, Any], None]]:
        return _CONTINUED


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
    "READONLY_BUFFER": _Machine.opaque_of_one,
    "BINPERSID": _Machine.text_of_one,
    "PERSID": _Machine.persistent,
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
_CONTINUED: Mapping[str, Callable[[_Continued, Any], None]] = {
    **_ACTIONS,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Continued.put),
    "MEMOIZE": _Continued.memoize,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Continued.get),
    "STACK_GLOBAL": _Continued.imported_from_stack,
}
_PUSHED = {each.name for each in pickletools.opcodes if each.stack_after and not each.stack_before} - _ACTIONS.keys()
"""What only puts a value on the stack."""
