"""Writes declared YAML: new files, and edits of files that people wrote.

An edit takes a file's bytes and what it should mean, and replaces the text of what differs, nothing else: comments,
order, quotes and indentation stay. The result is read again, so it means exactly what was asked or is not returned.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from mmgit.errors import UsageError
from mmgit.repository import nodes
from mmgit.repository.subset import HIDDEN, Fault, is_doubtful, plain_value

WIDTH = 120

_BARE = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+=()-]*(?: [A-Za-z0-9_./+=()-]+)*")
_BARE_WITH_COLONS = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+=:-]*[A-Za-z0-9_./+=-]")


def new(value: Mapping[str, Any]) -> bytes:
    """The bytes of a new file: fields in the order given, short values on one line, lists of mappings item by item."""
    return _encoded("".join(f"{_entry(key, item, 0)}\n" for key, item in value.items()))


def rewrite(data: bytes, value: Mapping[str, Any]) -> bytes:
    """`data` changed as little as possible so that it means `value`; an added field follows its predecessor there.

    Raises `Fault` if `data` is no declared file, `UsageError` if its text cannot carry the change.
    """
    before = nodes.compose(data).plain()
    text = data.decode()
    edit = _Edit(text)
    edit.change(_Place(0, 0, len(text), 0, YAML(typ="rt", pure=True).compose(text)), before, value)
    result = _encoded(edit.result())
    if not _means(result, value):
        raise UsageError("the file is written in a way that mmgit cannot edit", "change it by hand")
    return result


class _Place(NamedTuple):
    """Where an entry or item stands: from its key or dash, past its colon or dash, to the end of its value."""

    start: int
    value: int
    end: int
    column: int | None
    """None inside brackets, where everything stays on one line."""
    node: Node


class _Edit:
    """Pieces of a text and what comes in their place; no two overlap."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.line_end = "\r\n" if "\r\n" in text else "\n"
        self.pieces: list[tuple[int, int, str]] = []

    def result(self) -> str:
        """The text with all pieces replaced."""
        parts, position = [], 0
        for start, end, replacement in sorted(self.pieces, key=lambda piece: piece[0]):
            parts += [self.text[position:start], replacement.replace("\n", self.line_end)]
            position = end
        return "".join([*parts, self.text[position:]])

    def change(self, place: _Place, before: Any, after: Any) -> None:  # noqa: ANN401 - any YAML value
        """Make the text of a value, which means `before`, mean `after`."""
        if before == after:
            return
        node = place.node
        if isinstance(node, MappingNode) and isinstance(after, dict) and self._mapping(node, before, after):
            return
        if isinstance(node, SequenceNode) and isinstance(after, list) and self._sequence(node, before, after):
            return
        text = _value(after, place.column)
        if _is_inline(node) and text.startswith(" "):
            self.pieces.append((node.start_mark.index, place.end, text[1:]))
        else:
            self.pieces.append((place.value, place.end, text))

    def _mapping(self, node: MappingNode, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
        """Edit entry by entry. False where only the whole can be replaced."""
        places = dict(zip(before, _places(self.text, node), strict=True))
        column = next((place.column for place in places.values()), None)
        plan = [places[name] if name in places else _entry(name, item, column) for name, item in after.items()]
        changes = [(places[name], before[name], after[name]) for name in before if name in after]
        return self._arrange(list(places.values()), plan, changes)

    def _sequence(self, node: SequenceNode, before: Sequence[Any], after: Sequence[Any]) -> bool:
        """Edit item by item, those that differ in the middle in pairs. False where only the whole can be replaced."""
        places = list(_places(self.text, node))
        shorter = min(len(before), len(after))
        head = next((i for i in range(shorter) if before[i] != after[i]), shorter)
        tail = next((i for i in range(shorter - head) if before[-1 - i] != after[-1 - i]), shorter - head)
        paired = shorter - tail
        dash = "" if node.flow_style else "- "
        added = [dash + _inline(item) for item in after[paired : len(after) - tail]]
        plan: list[_Place | str] = [*places[:paired], *added, *places[len(places) - tail :]]
        changes = [(places[index], before[index], after[index]) for index in range(head, paired)]
        return self._arrange(places, plan, changes)

    def _arrange(
        self, places: Sequence[_Place], plan: Sequence[_Place | str], changes: Sequence[tuple[_Place, Any, Any]]
    ) -> bool:
        """Change what stays, remove what is not in `plan`, add the texts in it. False where that is not possible."""
        kept = [place for place in plan if isinstance(place, _Place)]
        gone = [place for place in places if place not in kept]
        if not kept or any(place.column is None or not self._starts_line(place) for place in gone):
            return False
        for place, before, after in changes:  # first: what is added at the end of an item precedes the next item
            self.change(place, before, after)
        for place in gone:
            self.pieces.append((self._line_start(place.start), self._line_end(place.end) + len(self.line_end), ""))
        previous: _Place | None = None
        for step in plan:
            if isinstance(step, _Place):
                previous = step
            else:
                self._add(step, previous, kept[0])
        return True

    def _add(self, text: str, previous: _Place | None, first: _Place) -> None:
        separator = ", " if first.column is None else "\n" + " " * first.column
        if previous is None:
            self.pieces.append((first.start, first.start, text + separator))
        else:
            position = previous.end if previous.column is None else self._line_end(previous.end)
            self.pieces.append((position, position, separator + text))

    def _starts_line(self, place: _Place) -> bool:
        return not self.text[self._line_start(place.start) : place.start].strip()

    def _line_start(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        end = self.text.find(self.line_end, position)
        return len(self.text) if end < 0 else end


def _places(text: str, node: CollectionNode) -> Iterator[_Place]:
    """The entries or items of a collection, in order."""
    for child in node.value:
        key, item = child if isinstance(node, MappingNode) else (None, child)
        if key is not None:
            start, value = key.start_mark.index, text.index(":", key.end_mark.index) + 1
        elif node.flow_style:
            start = value = item.start_mark.index
        else:
            start = text.rindex("-", 0, item.start_mark.index)
            value = start + 1
        column = None if node.flow_style else start - text.rfind("\n", 0, start) - 1
        yield _Place(start, value, _end(text, item, value), column, item)


def _end(text: str, node: Node, start: int) -> int:
    """Where the content of a value ends, without the comments and empty lines after it."""
    if _is_inline(node):
        end: int = node.end_mark.index
        return end
    if isinstance(node, CollectionNode):
        return list(_places(text, node))[-1].end
    return start + len(text[start : node.end_mark.index].rstrip())


def _is_inline(node: Node) -> bool:
    """Whether the value is text that stands right behind its colon or dash: not empty, not a block."""
    if isinstance(node, CollectionNode):
        return bool(node.flow_style)
    is_block = isinstance(node, ScalarNode) and node.style in ("|", ">")
    return not is_block and bool(node.start_mark.index < node.end_mark.index)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{text[error.start - 20 : error.start]!r}… goes on with what is not UTF-8 text") from error


def _means(data: bytes, value: Mapping[str, Any]) -> bool:
    try:
        read: bool = nodes.compose(data).plain() == value
    except Fault:
        return False
    return read


def _entry(key: str, value: Any, column: int | None) -> str:  # noqa: ANN401 - any YAML value
    return f"{_scalar(key)}:{_value(value, column, len(key))}"


def _value(value: Any, column: int | None, used: int = 0) -> str:  # noqa: ANN401 - any YAML value
    """What stands behind a colon: on the same line if it is short, else below and two columns further in."""
    line = _scalar(value, bare=_BARE_WITH_COLONS) if column is not None and isinstance(value, str) else _inline(value)
    if column is None or not value or not isinstance(value, dict | list | tuple):
        return f" {line}"
    margin = "\n" + " " * (column + 2)
    is_short = column + used + 2 + len(line) <= WIDTH
    if isinstance(value, dict):
        return f" {line}" if is_short else "".join(margin + _entry(*item, column + 2) for item in value.items())
    if is_short and not isinstance(value[0], dict):
        return f" {line}"
    return "".join(f"{margin}- {_inline(item)}" for item in value)


def _inline(value: Any) -> str:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return _scalar(value)


def _scalar(value: str | float | None, bare: re.Pattern[str] = _BARE) -> str:
    """A scalar that every reader of YAML 1.1 and 1.2 takes for what it is."""
    if isinstance(value, str):
        is_bare = bare.fullmatch(value) or _BARE.fullmatch(value)
        return value if is_bare and plain_value(value) == value and not is_doubtful(value) else _quoted(value)
    if isinstance(value, float):
        mantissa, exponent, power = repr(value).partition("e")
        return (mantissa if "." in mantissa else f"{mantissa}.0") + exponent + power
    return json.dumps(value)


def _quoted(text: str) -> str:
    """`text` in double quotes; what a reviewer would not see is written out."""
    return HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
