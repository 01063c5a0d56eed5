"""The door to pydantic, which has the last word on declared data: made of a type's own annotations, with its words.

Every declared type has a twin here, a pydantic model with the same fields, keys and checks. Only what `quick` did not
take comes here, and what needs JSON Schemas.
"""

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    ValidationError,
    WithJsonSchema,
    create_model,
    model_validator,
)

from mmgit.spec.record import Refused, Spec, specs_in
from mmgit.spec.vocabulary import Listed, Matching, Sized, Within

S = TypeVar("S", bound=Spec)
_TABLE, _REST = "<table>", "<rest>"
"""How a union names its members in places: `repository.problems` leaves out what is in angle brackets."""
_twins: dict[type[Spec], type[BaseModel]] = {}


class _Twin(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def read(kind: type[S], data: object) -> S:
    """The record that `data` stands for. Raises `Refused` with everything that is wrong."""
    try:
        return _record(kind, twin_of(kind).model_validate(_unread(data)))
    except ValidationError as error:
        details: list[dict[str, Any]] = [dict(each) for each in error.errors(include_url=False, include_context=True)]
        raise Refused(kind.__name__, tuple(each for each in details if not _is_miscounted(each, details))) from None


def _is_miscounted(detail: Mapping[str, Any], details: Iterable[Mapping[str, Any]]) -> bool:
    """Whether too few items are only those that are wrong themselves: pydantic counts the good ones."""
    at = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(each["loc"]) > len(at) and each["loc"][: len(at)] == at for each in details
    )


def json_schema(kind: type[Spec]) -> dict[str, Any]:
    """The JSON Schema of what files of this kind may say; checks that join fields are not in it."""
    return twin_of(kind).model_json_schema(by_alias=True)


def twin_of(kind: type[Spec]) -> type[BaseModel]:
    """The pydantic model of a declared type."""
    if kind not in _twins:
        _twins[kind] = _twin(kind)
    return _twins[kind]


def _twin(kind: type[Spec]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, field in kind.fields().items():
        default = ... if field.is_required else field.default
        more: dict[str, Any] = {"alias": field.key} if field.key != name else {}
        if isinstance(field.default, Spec):
            default = twin_of(type(field.default)).model_validate(field.default.plain(only_given=True))
        fields[name] = (translated(field.annotation), Field(default, **more))
    checks: dict[str, Any] = {"check": model_validator(mode="after")(_checked(kind))}
    return create_model(kind.__name__, __base__=_Twin, __doc__=kind.__doc__, __validators__=checks, **fields)


def _checked(kind: type[Spec]) -> Any:  # noqa: ANN401 - as pydantic wants it
    def check(twin: Any) -> Any:  # noqa: ANN401 - it has the fields of the record
        kind.check(twin)
        return twin

    return check


def translated(annotation: Any) -> Any:  # noqa: ANN401 - annotations are of any type
    """The same in pydantic's words."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return twin_of(annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        marks = [word for mark in parts[1:] for word in _words(mark)]
        return Annotated[(translated(parts[0]), *marks)]
    if origin is tuple:
        return tuple[translated(parts[0]), ...]  # type: ignore[misc]  # made of values
    if origin is dict:
        return dict[translated(parts[0]), translated(parts[1])]  # type: ignore[misc]
    if origin in (Union, UnionType):
        return _union(parts)
    return annotation


def _union(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401 - annotations are of any type
    others = [part for part in parts if part is not type(None)]
    if len(others) == 1:
        return Union[translated(others[0]), None]  # noqa: UP007 - made of values
    rest, table = others
    tagged: Any = Annotated[translated(rest), Tag(_REST)] | Annotated[translated(table), Tag(_TABLE)]
    return Annotated[tagged, Discriminator(lambda value: _TABLE if isinstance(value, dict | BaseModel) else _REST)]


def _words(mark: object) -> tuple[Any, ...]:
    match mark:
        case Matching():
            return AfterValidator(mark.checked), WithJsonSchema(mark.schema)
        case Within():
            return (Field(ge=mark.least, le=mark.most, gt=mark.above),)
        case Sized():
            return (Field(min_length=mark.least, max_length=mark.most),)
        case Listed():
            return (Strict(strict=False),)
    return ()


def _unread(data: object) -> Any:  # noqa: ANN401 - data of any type
    """Data without records in it."""
    if isinstance(data, Spec):
        return data.plain(only_given=True)
    if type(data) is dict:
        return {key: _unread(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(_unread(item) for item in data)
    return data


def _record(kind: type[S], twin: BaseModel) -> S:
    values = {name: _value(field.annotation, getattr(twin, name)) for name, field in kind.fields().items()}
    return kind._made(values, frozenset(twin.model_fields_set))  # noqa: SLF001 - it is for readers


def _value(annotation: Any, value: Any) -> Any:  # noqa: ANN401 - values of any type
    kinds = tuple(specs_in(annotation))
    if isinstance(value, BaseModel):
        return next(_record(kind, value) for kind in kinds if twin_of(kind) is type(value))
    if isinstance(value, tuple):
        return tuple(_value(annotation, item) for item in value)
    if isinstance(value, dict) and kinds:
        return {key: _value(annotation, item) for key, item in value.items()}
    return value
