"""The steps of a pickle, one by one, as Python's unpicklers read them; bytes and long texts in them are passed over.

Source: the table of opcodes in the standard library's `pickletools`.
"""

import codecs
import pickletools
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from mmgit.formats.stream import Broken, Stream

TEXT_BYTES_MAX = 4096
"""A text that is longer is no name."""
_NUMBER_BYTES_MAX = 2**16
_DIGITS_MAX = 4300
"""Python reads no number of more."""

OPAQUE = type("Opaque", (), {"__repr__": lambda _: "OPAQUE"})()
"""A value of which nothing is known, and nothing needs to be."""

TEXT = type("Text", (), {"__repr__": lambda _: "TEXT"})()
"""The same of what may be a text."""

Step = tuple[int, str, object]
"""Where a step begins, what it is called, and the text or number in it, else `OPAQUE`."""

_PREFIXES: Mapping[int, tuple[int, bool]] = {
    pickletools.TAKEN_FROM_ARGUMENT1: (1, False),
    pickletools.TAKEN_FROM_ARGUMENT4: (4, True),
    pickletools.TAKEN_FROM_ARGUMENT4U: (4, False),
    pickletools.TAKEN_FROM_ARGUMENT8U: (8, False),
}
_TEXTS: Mapping[str, str] = {
    **dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"), "utf-8"),
    **dict.fromkeys(("SHORT_BINSTRING", "BINSTRING"), "latin-1"),
}
_SIGNED = ("BININT",)


def steps(stream: Stream) -> Iterator[Step]:
    """The steps up to and with STOP. Raises `Broken` where there is none."""
    name = ""
    while name != "STOP":
        at = stream.at
        code = stream.read(1)
        if code not in _OPCODES:
            raise Broken(f"byte {code[0]:#04x} is no opcode", at)
        name, read = _OPCODES[code]
        try:
            yield at, name, read(stream)
        except (ValueError, UnicodeError) as error:
            raise Broken(f"{name} has an argument that is none", at) from error


Reader = Callable[[Stream], object]


def _reader(opcode: pickletools.OpcodeInfo) -> Reader:
    """What reads the argument of an opcode."""
    argument = opcode.arg
    if argument is None:
        value = None if opcode.name == "NONE" else OPAQUE
        return lambda _: value
    if argument.n in _PREFIXES:
        return _counted(opcode.name, *_PREFIXES[argument.n])
    if argument.n == pickletools.UP_TO_NEWLINE:
        return _LINES.get(opcode.name, _index)
    size, is_signed = argument.n, opcode.name in _SIGNED
    if opcode.name == "BINFLOAT":
        return lambda stream: stream.read(8) and OPAQUE
    return lambda stream: int.from_bytes(stream.read(size), "little", signed=is_signed)


def _counted(name: str, width: int, is_signed: bool) -> Reader:  # noqa: FBT001 - the columns of a table
    """What reads an argument that begins with its own size."""
    encoding = _TEXTS.get(name)

    def read(stream: Stream) -> object:
        size = int.from_bytes(stream.read(width), "little", signed=is_signed)
        if size < 0:
            raise ValueError(size)
        if name in ("LONG1", "LONG4") and size <= _NUMBER_BYTES_MAX:
            return int.from_bytes(stream.read(size), "little", signed=True)
        if encoding is not None and size <= TEXT_BYTES_MAX:
            return stream.read(size).decode(encoding, "surrogatepass")
        stream.skip(size)
        return OPAQUE if encoding is None else TEXT

    return read


def _index(stream: Stream) -> int:
    """A number, with whatever spaces around it; it ends at a NUL, as the unpickler written in C reads it."""
    return int(stream.squeezed_line(_DIGITS_MAX + 1).partition(b"\0")[0])


def _number(stream: Stream) -> object:
    """A number in digits. Of what unpicklers disagree about, nothing is known."""
    text = stream.rest_of_line(TEXT_BYTES_MAX) or b""
    with suppress(ValueError):
        return int(text.removesuffix(b"L"), 0)
    return OPAQUE


def _pair(stream: Stream) -> tuple[str, str | None]:
    """A module and a name in it; None for one that is too long."""
    module, name = stream.line(TEXT_BYTES_MAX).decode(), stream.rest_of_line(TEXT_BYTES_MAX)
    return module, None if name is None else name.decode()


def _quoted(stream: Stream) -> object:
    text = stream.rest_of_line(TEXT_BYTES_MAX)
    if text is None:
        return TEXT
    text = text.rstrip()
    if len(text) < 2 or text[:1] not in b"'\"" or text[-1:] != text[:1]:  # noqa: PLR2004 - the quotes
        raise ValueError("no quotes")
    return codecs.escape_decode(text[1:-1])[0].decode("latin-1")


def _unquoted(stream: Stream) -> object:
    text = stream.rest_of_line(TEXT_BYTES_MAX)
    return TEXT if text is None else text.decode("raw-unicode-escape")


def _ignored(stream: Stream) -> object:
    stream.rest_of_line(TEXT_BYTES_MAX)
    return OPAQUE


_LINES: Mapping[str, Reader] = {
    **dict.fromkeys(("GLOBAL", "INST"), _pair),
    "STRING": _quoted,
    **dict.fromkeys(("INT", "LONG"), _number),
    "UNICODE": _unquoted,
    **dict.fromkeys(("FLOAT", "PERSID"), _ignored),
}
_OPCODES: Mapping[bytes, tuple[str, Reader]] = {
    opcode.code.encode("latin-1"): (opcode.name, _reader(opcode)) for opcode in pickletools.opcodes
}
