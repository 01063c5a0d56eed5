"""The slow, exact reader of one YAML file: every value with its place, everything doubtful refused.

Bytes come in, a tree of nodes comes out, or the first `Fault`. It is the authority on what a declared file means:
a subset of YAML 1.2 that any reader of 1.1 or 1.2 takes the same way (no anchors, tags, merge keys, second documents
or plain scalars whose type depends on the version). Only this module reads ruamel.yaml's events.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from mmgit.frozen import dataclass
from mmgit.repository.subset import HIDDEN, MAX_PARTS, Fault, Scalar, brief, is_doubtful, plain_value, too_many

MAX_DEPTH = 128
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Node:
    """One value: text, number, boolean, null, a tuple of nodes, or a dict: key -> (the key's node, the value's)."""

    value: Any
    line: int
    column: int

    def plain(self) -> Any:  # noqa: ANN401 - whatever the file holds
        """The value as Python's own types, without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, (_, node) in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


def compose(data: bytes) -> Node:
    """The one document in `data`. Raises `Fault`."""
    text = _text_of(data)
    try:
        events = YAML(typ="safe", pure=True).parse(text)
        return _document(_bounded(events))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Fault("M101", f"not valid YAML: {error.problem or error.context}", line, column) from None
    except YAMLError as error:
        raise Fault("M101", f"not valid YAML: {str(error).splitlines()[0]}", 1, 1) from None


def find(node: Node, keys: tuple[str | int, ...]) -> Node:
    """The node at `keys`, or the deepest one on the way there. A mapping's entry is shown at its key."""
    shown = node
    for key in keys:
        if isinstance(node.value, dict):
            if key not in node.value:
                return shown
            shown, node = node.value[key]
        elif isinstance(node.value, tuple) and isinstance(key, int) and key < len(node.value):
            shown = node = node.value[key]
        else:
            return shown
    return shown


def _text_of(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Fault("M102", "not UTF-8 text", line, 1, "save the file as UTF-8") from None
    if hidden := HIDDEN.search(text):
        start = hidden.start()
        line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
        raise Fault("M103", f"invisible character U+{ord(hidden[0]):04X}", line, column, "remove it")
    return text


def _bounded(events: Iterable[Event]) -> Iterator[Event]:
    for count, event in enumerate(events):
        if count > MAX_PARTS:
            raise too_many(event.start_mark.line + 1, event.start_mark.column + 1)
        yield event


def _document(events: Iterator[Event]) -> Node:
    documents = 0
    root: Node | None = None
    for event in events:
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1 or event.version or event.tags:
                raise _fault(event, "M104", "one document to a file, without directives")
        elif isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent | AliasEvent):
            root = _node(event, events, 0)
    if root is None or not isinstance(root.value, dict):
        raise Fault("M105", "expected a mapping of fields", root.line if root else 1, root.column if root else 1)
    return root


def _node(event: Event, events: Iterator[Event], depth: int) -> Node:
    if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
        raise _fault(event, "M106", "anchors and aliases are not used in declared files", "write the value out")
    if (tag := getattr(event, "tag", None)) and tag != "!":
        raise _fault(event, "M107", f"tag {brief(tag)} is not used in declared files", "remove the tag")
    if depth > MAX_DEPTH:
        raise _fault(event, "M108", f"nested more than {MAX_DEPTH} deep")
    line, column = event.start_mark.line + 1, event.start_mark.column + 1
    if isinstance(event, ScalarEvent):
        if _SURROGATE.search(event.value):
            raise _fault(event, "M103", "half of a surrogate pair is no character", "remove it")
        return Node(event.value if event.style else _plain(event), line, column)
    if isinstance(event, SequenceStartEvent):
        items = []
        while not isinstance(item := next(events), SequenceEndEvent):
            items.append(_node(item, events, depth + 1))
        return Node(tuple(items), line, column)
    return Node(_mapping(events, depth), line, column)


def _mapping(events: Iterator[Event], depth: int) -> dict[str, tuple[Node, Node]]:
    fields: dict[str, tuple[Node, Node]] = {}
    while not isinstance(event := next(events), MappingEndEvent):
        if isinstance(event, ScalarEvent) and event.value == "<<" and not event.style:
            raise _fault(event, "M109", "merge keys are not used in declared files", "write the fields out")
        key = _node(event, events, depth + 1)
        if not isinstance(key.value, str):
            raise _fault(event, "M110", "a key is text", "put it in quotes")
        if key.value in fields:
            raise _fault(event, "M111", f"key `{brief(key.value)}` stands here twice", "keep one of the two")
        fields[key.value] = (key, _node(next(events), events, depth + 1))
    return fields


def _plain(event: ScalarEvent) -> Scalar:
    value = plain_value(event.value)
    if isinstance(value, str) and is_doubtful(value):
        said = brief(value)
        raise _fault(event, "M112", f"YAML readers disagree about what {said} is", f'put text in quotes: "{said}"')
    return value


def _fault(event: Event, code: str, message: str, hint: str = "") -> Fault:
    return Fault(code, message, event.start_mark.line + 1, event.start_mark.column + 1, hint)
