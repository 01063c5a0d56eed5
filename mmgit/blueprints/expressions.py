"""Jinja2 expressions without Jinja2's templates: source text in, a function from variables to values out.

Names, keys, operators and a few filters that depend on nothing but their input. No attribute of a Python object is in
reach, nothing can be called, and what is not defined is an error.
"""

import functools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.filters import FILTERS
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

Variables = dict[str, Any]
Expression = nodes.Expr
Evaluate = Callable[[Variables], list[Any]]

_FILTERS = ("abs", "capitalize", "d", "default", "first", "float", "int", "join", "last", "length", "list", "lower")
_MORE_FILTERS = ("max", "min", "replace", "round", "sort", "string", "sum", "title", "trim", "upper")
_LAZY_FILTERS = ("dictsort", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "unique")
_RESULT = "result"
_MAX_DEPTH = 40


class NotAnExpression(Exception):  # noqa: N818 - says what is wrong with a text
    """A text that is not one whole expression."""


class _Environment(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - any plain data
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - any plain data
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ANN401, ARG002 - nothing is
        return False


@functools.cache
def _environment() -> _Environment:
    environment = _Environment(undefined=StrictUndefined, optimized=False)
    environment.globals.clear()
    lazy = {name: _listed(FILTERS[name]) for name in _LAZY_FILTERS}
    environment.filters = {name: FILTERS[name] for name in (*_FILTERS, *_MORE_FILTERS)} | lazy
    return environment


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """The one expression in `text`. Raises `NotAnExpression`."""
    environment = _environment()
    try:
        parser = Parser(environment, text, state="variable")
        expression = parser.parse_expression()
        deep = _depth(expression) > _MAX_DEPTH
    except TemplateSyntaxError as error:
        raise NotAnExpression(f"`{text.strip()}` is no expression: {error.message}") from None
    except RecursionError:
        deep = True
    if deep:
        raise NotAnExpression(f"an expression is nested at most {_MAX_DEPTH} deep")
    if not parser.stream.eos:
        raise NotAnExpression(f"`{text.strip()}` is more than one expression")
    for used in nodes.List([expression]).find_all((nodes.Filter, nodes.Test, nodes.Call)):
        if not isinstance(used, nodes.Filter | nodes.Test):
            raise NotAnExpression(f"`{text.strip()}` calls a function; filters do the same: `name | upper`")
        known = environment.filters if isinstance(used, nodes.Filter) else environment.tests
        if used.name not in known:
            kind = type(used).__name__.lower()
            raise NotAnExpression(f"there is no {kind} `{used.name}`: {', '.join(sorted(known))}")
    return expression


def compile_all(expressions: Sequence[Expression]) -> Evaluate:
    """One function that gives the values of all `expressions` in a single call, in order."""
    if not expressions:
        return lambda _: []
    environment = _environment()
    target = nodes.Name(_RESULT, "store", lineno=1)
    assignment = nodes.Assign(target, nodes.List(list(expressions), lineno=1), lineno=1)
    template = environment.from_string(nodes.Template([assignment], lineno=1))
    root, new_context = template.root_render_func, template.new_context

    def evaluate(variables: Variables) -> list[Any]:
        context = new_context(variables, shared=True)
        deque(root(context), maxlen=0)
        values: list[Any] = context.vars[_RESULT]
        return values

    return evaluate


def guarded(expression: Expression, guards: Sequence[tuple[Expression, bool]]) -> Expression:
    """`expression` where all `guards` hold (a condition and what it must be; the outermost first), else null."""
    for condition, wanted in reversed(guards):
        test = condition if wanted else nodes.Not(condition, lineno=1)
        expression = nodes.CondExpr(test, expression, nodes.Const(None, lineno=1), lineno=1)
    return expression


def why(problem: object, expression: Expression, variables: Variables) -> tuple[str, str]:
    """What an evaluation failed of, in one line, and a hint. `problem`: the error, or a value that is missing."""
    if isinstance(problem, Undefined | UndefinedError) and (named := _first_missing(expression, variables)):
        return named
    if isinstance(problem, Undefined):
        return str(problem._undefined_message), ""  # noqa: SLF001 - the only place where Jinja2 keeps it
    return str(problem) or type(problem).__name__, ""


def _first_missing(expression: Expression, variables: Variables) -> tuple[str, str] | None:
    """What is not there of what `expression` names, and what there is instead."""
    named = nodes.List([expression]).find_all((nodes.Name, nodes.Getattr, nodes.Getitem))
    for node in reversed(list(named)):  # the innermost first
        try:
            (value,) = compile_all([node])(variables)
        except Exception:  # noqa: BLE001, S112 - it depends on what is missing, or fails of something else
            continue
        if isinstance(value, Undefined):
            return _missing(node, value._undefined_obj, value._undefined_name, variables)  # noqa: SLF001 - as Jinja2 keeps it
    return None


def _missing(node: nodes.Node, holder: Any, name: Any, variables: Variables) -> tuple[str, str]:  # noqa: ANN401 - any
    if isinstance(node, nodes.Name):
        return f"there is no `{node.name}`", f"there is: {', '.join(sorted(variables))}"
    whole = _text(node.node)  # type: ignore[attr-defined]  # a Getattr or Getitem
    if isinstance(holder, list):
        return f"{whole} has no item {name}", f"it has {len(holder)}, the first is 0"
    keys = ", ".join(sorted(map(str, holder))) if isinstance(holder, dict) else ""
    return f"{whole} has no `{name}`", f"{whole} has: {keys or 'nothing'}"


def _text(node: nodes.Node) -> str:
    """How people wrote a value that is named key by key; for any other, words."""
    keys: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        key = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", "…")
        keys.append(str(key))
        node = node.node
    return f"`{'.'.join([node.name, *reversed(keys)])}`" if isinstance(node, nodes.Name) else "the value"


def is_missing(value: object) -> bool:
    """Whether an expression named something that is not there."""
    return isinstance(value, Undefined)


def _depth(node: nodes.Node) -> int:
    return 1 + max(map(_depth, node.iter_child_nodes()), default=0)


def _listed(lazy: Callable[..., Any]) -> Callable[..., Any]:
    """`lazy` with a list instead of a generator, whose text would hold an address. Keeps Jinja2's marks."""

    @functools.wraps(lazy)
    def listed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - passes on what Jinja2 gives
        result = lazy(*arguments, **named)
        return result if isinstance(result, str) else [list(i) if isinstance(i, tuple) else i for i in result]

    return listed
