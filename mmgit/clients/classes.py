"""What clients in languages of classes have in common: types, what reads them from JSON, and the names of classes."""

from collections.abc import Callable, Mapping

from mmgit.blueprints.texts import Code
from mmgit.clients.model import Array, Record, Table, Type
from mmgit.clients.naming import Names, pascal
from mmgit.clients.writing import remark
from mmgit.frozen import dataclass


def class_name(service: str) -> str:
    """The name of a client's class: `ChurnClient`, and no library's."""
    name = f"{pascal(service)}Client"
    return f"{name}2" if name == "HttpClient" else name


@dataclass(frozen=True)
class Classes:
    """How a language writes them: names of types, its lambdas, its methods, and its texts."""

    scalars: Mapping[str, str]
    table: str
    arrow: str
    method: Callable[[str], str]
    member: Callable[[Code], Code]
    """The code of a key -> what takes its value out of an object that was read."""
    text: Callable[[str], Code]

    def record(self, record: Record, identifiers: Mapping[str, str], names: Names) -> Mapping[str, object]:
        """What a template is told of a class; `identifiers` are those of the keys."""
        fields = [
            {
                "name": Code(identifiers[each.key]),
                "key": self.text(each.key),
                "type": self.type(each.type, names),
                "required": each.required,
                "read": self.read(each.type, self.member(self.text(each.key)), names),
                "remark": remark(each.type),
            }
            for each in record.fields
        ]
        return {"name": Code(names[record.path]), "fields": fields}

    def type(self, type_: Type, names: Names) -> Code:
        """The type."""
        if isinstance(type_, Array):
            return Code(f"List<{self.type(type_.item, names)}>")
        if isinstance(type_, Table):
            return Code(f"{self.table}<{self.scalars['text']}, {self.type(type_.value, names)}>")
        return Code(names[type_.path] if isinstance(type_, Record) else self.scalars[type_.kind])

    def read(self, type_: Type, value: Code, names: Names, depth: int = 0) -> Code:
        """What makes the type of a value of the client's own JSON reader."""
        if isinstance(type_, Array | Table):
            inner, is_list = Code(f"each{depth or ''}"), isinstance(type_, Array)
            of = self.read(type_.item if isinstance(type_, Array) else type_.value, inner, names, depth + 1)
            return Code(f"Json.{self.method('list' if is_list else 'map')}({value}, {inner} {self.arrow} {of})")
        if isinstance(type_, Record):
            return Code(f"{names[type_.path]}.{self.method('of')}({value})")
        return value if type_.kind == "anything" else Code(f"Json.{self.method(type_.kind)}({value})")
