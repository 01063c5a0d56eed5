"""The one door for CEL, the Common Expression Language: an expression and plain data come in, a truth comes out.

CEL has no loops beyond its data and reaches nothing outside of it. Source: https://cel.dev
"""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mmgit.spec import Spec

if TYPE_CHECKING:
    from celpy import Runner


def refused(expression: str, variables: Mapping[str, Any]) -> str | None:
    """None if the expression is true; else why it cannot be judged, empty if it is simply not true."""
    from celpy.adapter import json_to_cel  # noqa: PLC0415 - slow to import, and few projects have rules
    from celpy.celtypes import BoolType  # noqa: PLC0415 - as above
    from celpy.evaluation import CELEvalError  # noqa: PLC0415 - as above

    try:
        answer = _program(expression).evaluate({name: json_to_cel(value) for name, value in variables.items()})
    except (CELEvalError, ValueError) as error:
        return str(error.args[0]) if error.args else type(error).__name__
    if isinstance(answer, BoolType):
        return None if answer else ""
    return "it is neither true nor false"


def fault(expression: str) -> str | None:
    """Why this is no expression; None if it is one."""
    try:
        _program(expression)
    except ValueError as error:
        return str(error)
    return None


def plain(value: Any) -> Any:  # noqa: ANN401 - any of our values
    """A value of ours as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(item) for name, item in asdict(value).items()}
    if isinstance(value, Spec):
        return value.plain(without_none=True)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


@cache
def _program(expression: str) -> "Runner":
    from celpy import Environment  # noqa: PLC0415 - as above
    from celpy.celparser import CELParseError  # noqa: PLC0415 - as above

    environment = Environment()
    try:
        return environment.program(environment.compile(expression))
    except CELParseError as error:
        raise ValueError(f"not an expression: {error.args[0]}") from None
