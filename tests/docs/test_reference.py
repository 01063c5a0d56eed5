"""docs/reference is what the code says of itself: commands, declared files, and what people import.

`pytest tests/docs --update-cases` writes it again; review the diff.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import mmgit
from mmgit import sdk
from mmgit.cli.commands import cli
from mmgit.errors import MmgitError
from mmgit.spec.editor import KINDS, editor_schema

FOLDER = Path(__file__).parents[2] / "docs/reference"
COLUMNS = 100
MADE = "This page is made by `pytest tests/docs --update-cases` from the code."
WHERE = {
    "Project": "mmgit.yaml",
    "Base": "bases/BASE.lock.yaml",
    "Model": "models/MODEL/model.yaml",
    "ModelVersion": "models/MODEL/versions/N/version.yaml",
    "Manifest": "models/MODEL/manifests/N/manifest.yaml",
    "Image": "models/MODEL/manifests/N/images/KEY.yaml",
    "Environment": "environments/ENV/environment.yaml",
    "Evidence": "environments/ENV/evidence/GROUP/SERVICE.yaml",
    "Service": "environments/ENV/services/[GROUP/]SERVICE.yaml",
}


def commands() -> Iterator[str]:
    yield f"# Commands\n\n{MADE}\n`mmgit COMMAND --help` says the same.\n"
    settings = {**cli.context_settings, "max_content_width": COLUMNS, "terminal_width": COLUMNS}
    context = click.Context(cli, info_name="mmgit", **settings)
    for name, command, path in below(cli, context):
        yield f"## {name}\n\n```text\n{command.get_help(path)}\n```\n"


def below(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            inner = click.Context(found, context, name, max_content_width=COLUMNS, terminal_width=COLUMNS)
            yield from below(found, inner)


def files() -> Iterator[str]:
    yield (
        f"# Declared files\n\n{MADE}\n`mmgit schema` writes the same as JSON Schemas, for your editor. A file "
        "begins with\n`apiVersion: mmgit.dev/v1` and its `kind`; unknown fields are errors.\n"
    )
    for kind in KINDS:
        schema = editor_schema(kind)
        yield f"## {kind}\n\n`{WHERE[kind]}`\n\n{schema['description']}\n\n{table(schema)}"
        for name, part in schema.get("$defs", {}).items():
            yield f"### {kind}: {name}\n\n{part['description']}\n\n{table(part)}"


def table(schema: dict[str, Any]) -> str:
    rows = ["| field | | |", "|---|---|---|"]
    for key, field in schema["properties"].items():
        if key not in ("apiVersion", "kind") or "description" in field:
            needed = "needed" if key in schema.get("required", ()) else default_of(field)
            rows.append(f"| `{key}` | {shape(field)}{f'; {needed}' if needed else ''} | {cell(field['description'])} |")
    return "\n".join(rows) + "\n"


def default_of(field: dict[str, Any]) -> str:
    said = dumped(field.get("default"))
    return f"`{said}`" if said else ""


def dumped(value: object) -> str:
    """A default as in YAML; empty for what says nothing."""
    if isinstance(value, list):
        return f"[{', '.join(map(dumped, value))}]" if value else ""
    if isinstance(value, dict):
        held = [f"{key}: {said}" for key, item in value.items() if (said := dumped(item))]
        return f"{{{', '.join(held)}}}" if held else ""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def shape(field: dict[str, Any]) -> str:
    """What may stand there, in a few words."""
    union = field.get("anyOf") or field.get("oneOf")
    values = field.get("enum") or [field[key] for key in ("const",) if key in field]
    if "$ref" in field or union or values:
        parts = [field["$ref"].rpartition("/")[2]] if "$ref" in field else [f"`{each}`" for each in values]
        return " or ".join(map(shape, union)) if union else ", ".join(parts)
    if field.get("type") == "array":
        return f"list of {shape(field['items'])}"
    if field.get("type") == "object":
        items = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
        held = next((each for each in items if isinstance(each, dict) and each), None)
        return f"map of {shape(held)}" if held else "map"
    least, most = field.get("minimum"), field.get("maximum")
    between = "" if least is None else f" from {least}" if most is None else f" {least} to {most}"
    kind = str(field.get("type", "anything"))
    return {"string": "text", "boolean": "true, false"}.get(kind, kind) + between


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def python() -> Iterator[str]:
    yield f"# Python API\n\n{MADE}\n[How it is used](../python.md).\n"
    own = [name for name in mmgit.__all__ if not name.startswith("_")]
    for module, names in (("mmgit", own), ("mmgit.sdk", sdk.__all__)):
        yield f"## {module}\n"
        for name in sorted(names, key=lambda name: (name[0].isupper(), name)):
            found: Any = getattr(mmgit if module == "mmgit" else sdk, name)
            yield f"### {module}.{name}\n\n{described(found)}"
    yield "## mmgit.errors\n"
    yield f"### mmgit.errors.MmgitError\n\n{described(MmgitError)}"


def described(found: Callable[..., Any]) -> str:
    return f"```python\n{declared(found)}\n```\n\n```text\n{inspect.getdoc(found)}\n```\n"


def declared(found: Callable[..., Any]) -> str:
    """A signature, or the fields of a record, as they are written; with one a line where they are many."""
    name = found.__name__
    if hasattr(found, "__frozen_fields__"):
        return "\n".join([f"class {name}:", *(f"    {each}: {kind}" for each, kind in found.__annotations__.items())])
    if inspect.isclass(found) and "__init__" not in vars(found):
        return f"class {name}"
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(found)))
    inside, _, answer = signature.removeprefix("(").rpartition(")")
    arguments = re.split(r", (?![^\[(]*[\])])", inside)
    return "\n".join([f"{name}(", *(f"    {each}," for each in arguments), f"){answer}"])


PAGES: dict[str, Callable[[], Iterator[str]]] = {"commands": commands, "files": files, "python": python}


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_what_the_code_says(name: str, request: pytest.FixtureRequest) -> None:
    path = FOLDER / f"{name}.md"
    written = "\n".join(PAGES[name]())

    if request.config.getoption("--update-cases"):
        path.write_text(written)

    assert path.read_text() == written, "pytest tests/docs --update-cases"


def test_every_field_of_every_declared_file_is_described() -> None:
    for kind in KINDS:
        schema = editor_schema(kind)
        for part in (schema, *schema.get("$defs", {}).values()):
            undescribed = {key for key, field in part["properties"].items() if "description" not in field}
            assert undescribed <= {"apiVersion", "kind"}, kind
