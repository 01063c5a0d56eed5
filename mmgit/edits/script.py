"""A scoring script is read before it is frozen: whether Python can read it, and whether it has a `run()`.

It is parsed and never run, so that a `run` that is made while it is imported has to be bound by its name.
"""

import ast
import sys
import warnings
from collections.abc import Iterator

from mmgit.errors import UsageError, visible

_MAX_BYTES = 2**20


def refuse_script(place: str, data: bytes, python: str) -> None:
    """Raises `UsageError` for a script that Python cannot read, or without `run()`.

    What a newer `python` than this one may read, and what is larger than a MiB, is not judged.
    """
    if len(data) > _MAX_BYTES:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            script = ast.parse(data)
        has_run = any(name in ("run", "*") for name in _bound(script))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if _minor(python) > sys.version_info[:2]:
            return
        where, what = "", "it is nested too deep or holds NUL"
        if isinstance(error, SyntaxError):
            where, what = f":{error.lineno or 1}:{error.offset or 1}", visible(error.msg)
        raise UsageError(f"{place}{where}: {what}", "Python cannot read it: correct it, and run this again") from error
    if not has_run:
        hint = "def run(…):   is called with each request, and returns what is answered"
        raise UsageError(f"{place} has no function run()", hint)


def _bound(script: ast.Module) -> Iterator[str]:
    """The names that are bound at the top level, also below `if` and `try`; `*` is any."""
    left: list[ast.AST] = [script]
    while left:
        node = left.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
                continue
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.alias():
                yield (node.asname or node.name).partition(".")[0]
        left += ast.iter_child_nodes(node)


def _minor(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))
