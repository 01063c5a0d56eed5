"""HTML from values that may be hostile: elements are built, and what is no element is text. Pure.

There is no way to write markup, a script or a style from a value: a `str` is escaped wherever it stands, names of
elements and attributes are ours, and an address is relative or begins with http:// or https://.
"""

import re
from functools import cache
from html import escape
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from mmgit.errors import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADDRESS = re.compile(r"(?:https?://[^\s\"'<>\\]+|(?!/)(?:\.\./)*[A-Za-z0-9._%~/-]*(?:#[A-Za-z0-9._-]+)?)")
_NAME = re.compile(r"[a-z][a-z0-9]*")
_ATTRIBUTES = frozenset(
    (
        *("class", "id", "lang", "href", "src", "rel", "name", "content", "charset", "type", "for", "scope", "role"),
        *("tabindex", "autocomplete", "spellcheck", "rows", "hidden", "defer", "datetime", "title", "http-equiv"),
    )
)
_FAMILIES = ("aria-", "data-")
_ADDRESSES = ("href", "src")
_EMPTY = frozenset(["meta", "link", "input", "br"])
_RAW = ("script", "style")
"""Whose text is no text: it is in files."""


class Html:
    """Markup that was built here."""

    __slots__ = ("markup",)

    def __init__(self, markup: str) -> None:
        self.markup = markup


Node: TypeAlias = "Html | str | int | Iterable[Node] | None"
"""What stands in an element: markup, text, nothing, or several of these."""


def el(name: str, /, *children: Node, **attributes: str | bool | None) -> Html:
    """An element. In attributes `_` stands for `-`, one at the end for nothing; None and False leave one out."""
    said = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in _EMPTY:
        return Html(f"<{name}{said}>")
    inner = markup(children)
    if inner and name in _RAW:
        raise ValueError(f"a page has no {name} of its own")
    return Html(f"<{_checked(name)}{said}>{inner}</{name}>")


def markup(node: Node) -> str:
    """The markup of a node; what was text is escaped, its controls and direction marks are written out."""
    if isinstance(node, Html):
        return node.markup
    if isinstance(node, str):
        return escape(node if node.isprintable() else "\n".join(map(visible, node.split("\n"))))
    if node is None:
        return ""
    return str(node) if isinstance(node, int) else "".join(map(markup, node))


def is_web(address: str) -> bool:
    """Whether a value may be where a link leads."""
    return address.startswith(("http://", "https://")) and _ADDRESS.fullmatch(address) is not None


def path_of(*names: str) -> str:
    """A path of these names, each a file name whatever it holds."""
    return "/".join(quote(name, safe="") for name in names)


def _attribute(key: str, value: str | bool) -> str:  # noqa: FBT001 - an attribute that is there or not
    name = _attribute_name(key)
    if value is True:
        return f" {name}"
    if name in _ADDRESSES and not _ADDRESS.fullmatch(str(value)):
        raise ValueError(f"no address for a page: {value!a}")
    return f' {name}="{escape(visible(str(value)))}"'


@cache
def _attribute_name(key: str) -> str:
    name = key.removesuffix("_").replace("_", "-")
    if name not in _ATTRIBUTES and not name.startswith(_FAMILIES):
        raise ValueError(f"no attribute for a page: {name!a}")
    return name


@cache
def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"no element for a page: {name!a}")
    return name
