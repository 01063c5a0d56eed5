"""Blueprints written as text, built with variables; what is wrong with them comes back as `file:line:column: code`."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from mmgit.blueprints.compiling import Objects, compile_sheets
from mmgit.blueprints.directives import Sheet
from mmgit.blueprints.faults import BlueprintFault
from mmgit.repository import problems, reading

Build = Callable[..., Objects]
Wrong = Callable[..., list[str]]


def sheets_of(texts: Mapping[str, str]) -> dict[str, Sheet]:
    return {name: Sheet(f"blueprints/own/{name}", reading.parse(text.encode())) for name, text in texts.items()}


@pytest.fixture
def build() -> Build:
    """`build(text or {file: text}, **variables)` -> objects."""

    def run(texts: str | Mapping[str, str], **variables: Any) -> Objects:
        return compile_sheets(sheets_of({"a.yaml": texts} if isinstance(texts, str) else texts))(variables)

    return run


@pytest.fixture
def wrong(build: Build) -> Wrong:
    """The same for a blueprint that fails: the problems, as people see them but for hints."""

    def run(texts: str | Mapping[str, str], **variables: Any) -> list[str]:
        with pytest.raises(BlueprintFault) as caught:
            build(texts, **variables)
        by_path = {"blueprints/own/a.yaml": texts} if isinstance(texts, str) else {}
        by_path |= {f"blueprints/own/{name}": text for name, text in texts.items()} if isinstance(texts, dict) else {}
        located = problems.locate(caught.value.findings, lambda path: by_path[path].encode())
        return [f"{problem.place}: {problem.code}: {problem.message}" for problem in located]

    return run
