"""Edits the text of declared YAML node by node: what differs is replaced, all else stays as people wrote it.

The exact reader says where things stand.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from mmgit.repository import nodes, written


def edited(data: bytes, wanted: Mapping[str, Any]) -> str:
    """The text of `data`, changed as little as possible so that it means `wanted`. Raises `Fault`."""
    before = nodes.compose(data).plain()
    text = data.decode()
    edit = _Edit(text)
    edit.change(_Place(0, 0, len(text), 0, YAML(typ="rt", pure=True).compose(text)), before, wanted)
    return edit.result()


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
        text = written.behind_colon(after, place.column)
        if _is_inline(node) and text.startswith(" "):
            self.pieces.append((node.start_mark.index, place.end, text[1:]))
        else:
            self.pieces.append((place.value, place.end, text))

    def _mapping(self, node: MappingNode, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
        """Edit entry by entry. False where only the whole can be replaced."""
        places = dict(zip(before, _places(self.text, node), strict=True))
        column = next((place.column for place in places.values()), None)
        plan = [places[name] if name in places else written.entry(name, item, column) for name, item in after.items()]
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
        added = [dash + written.inline(item) for item in after[paired : len(after) - tail]]
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
