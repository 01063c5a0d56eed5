"""What computes: DuckDB on this machine, Spark or Trino beyond it. Expressions are ibis', the same for all of them.

The one thing that ibis does not say for all three is how JSON is taken apart, so each engine says that here: what is no
JSON and what is not there is null, a string comes without its quotes, and all else as JSON has it.
"""

import inspect
import json
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from mmgit.errors import UsageError
from mmgit.telemetry.extra import needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

EngineName = Literal["duckdb", "spark", "trino"]
_SPARK_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",  # columns of a model may differ in case alone
    "spark.sql.ansi.enabled": "false",  # what cannot be cast is null, as with the others
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",  # a version is a text in a path
}


class Engine(Protocol):
    """A connection, and how it takes JSON apart."""

    backend: "BaseBackend"

    def document(self, text: "ir.StringValue") -> "ir.StringValue":
        """A text that is one JSON value, or null."""

    def whole(self, document: "ir.StringValue") -> "ir.StringValue":
        """The value itself."""

    def elements(self, document: "ir.StringValue") -> "ir.ArrayValue":
        """The elements of a list, as texts."""

    def fields(self, document: "ir.StringValue", names: "Sequence[str]") -> "Sequence[ir.StringValue]":
        """Fields of an object by name, as texts."""


class DuckDb:
    """In this process. Where it may put what does not fit into memory is a temporary folder of its own choice."""

    def __init__(self) -> None:
        needed("duckdb")
        self.backend = needed("ibis").duckdb.connect()

    def document(self, text: "ir.StringValue") -> "ir.StringValue":
        """It refuses a whole query for one text that is no JSON."""
        return _call("json_valid", text, returns="boolean").ifelse(text, needed("ibis").null())

    def whole(self, document: "ir.StringValue") -> "ir.StringValue":
        """By path."""
        return _call("json_extract_string", document, "$", returns="string")

    def elements(self, document: "ir.StringValue") -> "ir.ArrayValue":
        """By path."""
        return _call("json_extract_string", document, "$[*]", returns="array<string>")

    def fields(self, document: "ir.StringValue", names: "Sequence[str]") -> "Sequence[ir.StringValue]":
        """By pointers, all at once: a path takes no quote in a name, and each on its own would read the text again."""
        pointers = ["/" + name.replace("~", "~0").replace("/", "~1") for name in names]
        found = _call("json_extract_string", document, pointers, returns="array<string>")
        return [found[at] for at in range(len(names))]


class Spark:
    """`local[2]`, `spark://…`, or Spark Connect at `sc://…`; without an address what spark-defaults.conf says."""

    def __init__(self, url: str | None) -> None:
        warnings.filterwarnings("ignore", category=FutureWarning, module="pyspark")
        builder = needed("pyspark.sql", "pyspark").SparkSession.builder
        if url:
            builder = builder.remote(url) if url.startswith("sc://") else builder.master(url)
        for name, value in _SPARK_SETTINGS.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        if not (url or "").startswith("sc://"):
            self.session.sparkContext.setLogLevel("ERROR")
        self.backend = needed("ibis").pyspark.connect(self.session)

    def document(self, text: "ir.StringValue") -> "ir.StringValue":
        """It needs no care."""
        return text

    def whole(self, document: "ir.StringValue") -> "ir.StringValue":
        """By path."""
        return _call("get_json_object", document, "$", returns="string")

    def elements(self, document: "ir.StringValue") -> "ir.ArrayValue":
        """By type."""
        return _call("from_json", document, "array<string>", returns="array<string>")

    def fields(self, document: "ir.StringValue", names: "Sequence[str]") -> "Sequence[ir.StringValue]":
        """By type: a path takes no quote in a name."""
        struct = needed("ibis.expr.datatypes").Struct(dict.fromkeys(names, "string"))
        spelt = ", ".join(f"`{name.replace('`', '``')}`: string" for name in names)
        found = _call("from_json", document, f"struct<{spelt}>", returns=struct)
        return [found[name] for name in names]


class Trino:
    """At `trino://user@host:port/catalog/schema`; a password in it goes over TLS alone."""

    def __init__(self, url: str | None) -> None:
        address = self._address(url or "")
        trino = needed("trino", "ibis-framework[trino]")
        options: dict[str, Any] = {"user": unquote(address.username)} if address.username else {}
        if address.password is not None:
            options["auth"] = trino.auth.BasicAuthentication(options.get("user", ""), unquote(address.password))
            options["http_scheme"] = "https"
        self.backend = needed("ibis").connect(url, **options)

    def document(self, text: "ir.StringValue") -> "ir.StringValue":
        """It needs no care."""
        return text

    def whole(self, document: "ir.StringValue") -> "ir.StringValue":
        """By path."""
        return self._at(document, "$")

    def elements(self, document: "ir.StringValue") -> "ir.ArrayValue":
        """By type."""
        found = _call("json_extract", document, "$", returns="json").try_cast("array<json>")
        return found.map(lambda each: self._at(_call("json_format", each, returns="string"), "$"))

    def fields(self, document: "ir.StringValue", names: "Sequence[str]") -> "Sequence[ir.StringValue]":
        """By path."""
        return [self._at(document, f"$[{json.dumps(name, ensure_ascii=False)}]") for name in names]

    @staticmethod
    def _address(url: str) -> SplitResult:
        with suppress(ValueError):
            address = urlsplit(url)
            if address.scheme == "trino" and address.hostname and address.port != 0:
                return address
        raise UsageError("--engine trino needs an address", "--engine-url trino://USER@HOST:8080/CATALOG/SCHEMA")

    def _at(self, document: "ir.StringValue", path: str) -> "ir.StringValue":
        text = _call("json_extract_scalar", document, path, returns="string")
        value = _call("json_extract", document, path, returns="json")
        return text.coalesce(_call("json_format", value, returns="string"))


_ENGINES: dict[EngineName, Any] = {"duckdb": lambda _: DuckDb(), "spark": Spark, "trino": Trino}


def connect(name: EngineName, url: str | None = None) -> Engine:
    """The engine. Raises `UsageError` where its packages or its server are missing."""
    engine: Engine = _ENGINES[name](url)
    return engine


def _call(name: str, *arguments: Any, returns: Any) -> Any:  # noqa: ANN401 - values and types of ibis
    """A function that the engine itself has."""
    ibis = needed("ibis")
    values = [each if isinstance(each, ibis.Value) else ibis.literal(each) for each in arguments]

    def function() -> None: ...

    place = inspect.Parameter.POSITIONAL_OR_KEYWORD
    function.__signature__ = inspect.Signature([inspect.Parameter(f"a{n}", place) for n in range(len(values))])  # type: ignore[attr-defined]
    signature = (tuple(value.type() for value in values), returns)
    return ibis.udf.scalar.builtin(name=name, signature=signature)(function)(*values)
