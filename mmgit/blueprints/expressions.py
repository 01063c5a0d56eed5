"""Jinja2 expressions without Jinja2's templates: source text in, a function from variables to values out.

Names, keys, operators and a few filters that depend on nothing but their input. No attribute of a Python object is in
reach, nothing can be called, and what is not defined is an error.
"""

import functools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes
from jinja2.defaults import DEFAULT_FILTERS
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

Variables = dict[str, Any]
Expression = nodes.Expr
Evaluate = Callable[[Variables], list[Any]]

_VALUE_FILTERS = (
    "abs capitalize d default first float int join last length list lower max min replace round sort string "
    "sum title trim upper"
).split()
_LAZY_FILTERS = "dictsort map reject rejectattr reverse select selectattr unique".split()
_RESULT = "result"
_MAX_INT = 2**63


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
    lazy = {name: _listed(DEFAULT_FILTERS[name]) for name in _LAZY_FILTERS}
    environment.filters = {name: DEFAULT_FILTERS[name] for name in _VALUE_FILTERS} | lazy
    return environment


def parse(text: str) -> Expression:
    """The one expression in `text`. Raises `NotAnExpression`."""
    environment = _environment()
    try:
        parser = Parser(environment, text, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise NotAnExpression(f"`{text.strip()}` is more than one expression")
    except TemplateSyntaxError as error:
        raise NotAnExpression(f"`{text.strip()}` is no expression: {error.message}") from None
    for used in nodes.List([expression]).find_all((nodes.Filter, nodes.Test, nodes.Call)):
        if isinstance(used, nodes.Call):
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


def guarded(expression: Expression, guards: Iterable[tuple[Expression, bool]]) -> Expression:
    """`expression` where all `guards` hold (a condition and what it must be), else null."""
    for condition, wanted in guards:
        test = condition if wanted else nodes.Not(condition, lineno=1)
        expression = nodes.CondExpr(test, expression, nodes.Const(None, lineno=1), lineno=1)
    return expression


def is_plain(value: Any) -> bool:  # noqa: ANN401 - anything that an expression can give
    """Whether `value` is text, a number, a boolean, null, or lists and maps of these, as every reader takes them."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -_MAX_INT <= value < _MAX_INT
    if kind is list:
        return all(map(is_plain, value))
    if kind is dict:
        return all(type(key) is str and is_plain(item) for key, item in value.items())
    return kind is float and value - value == 0


def why(error: Exception) -> str:
    """What an evaluation failed of, in one line."""
    return str(error) or type(error).__name__


def is_missing(value: object) -> bool:
    """Whether an expression named something that is not there."""
    return isinstance(value, Undefined)


def why_not_plain(value: object) -> str:
    """What is wrong with a value that is not plain data, in one line."""
    if isinstance(value, Undefined):
        return str(value._undefined_message)  # noqa: SLF001 - the only place where Jinja2 keeps it
    return f"gives a {type(value).__name__} that is no text, number, boolean, list or map of these"


def _listed(lazy: Callable[..., Any]) -> Callable[..., Any]:
    """`lazy` with a list instead of a generator, whose text would hold an address. Keeps Jinja2's marks."""

    @functools.wraps(lazy)
    def listed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - passes on what Jinja2 gives
        result = lazy(*arguments, **named)
        return result if isinstance(result, str) else [list(i) if isinstance(i, tuple) else i for i in result]

    return listed
