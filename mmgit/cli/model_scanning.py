"""`mmgit model scan`: what loading the files of a registered version would import, by their bytes as they are now."""

from typing import IO, TYPE_CHECKING, Any

import click

from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.output import Form, output_option, print_rows
from mmgit.edits.references import model_of, newest, version_of
from mmgit.errors import Place, Problem, ProblemsFound, UsageError
from mmgit.repository import layout

if TYPE_CHECKING:
    from mmgit.repository.source import Source
    from mmgit.spec.model import ModelFile

_COLUMNS = ("file", "format", "says")


@click.command()
@click.argument("name", metavar="NAME[/NUMBER]")
@output_option
def scan(name: str, form: Form) -> None:
    """Say what loading the files of a model version would import: the newest of NAME, or the one that is named.

    Nothing is loaded. What lies in a store is fetched, and stays in .mmgit/oci.
    """
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - --help must not wait for it
    from mmgit.images.recipes import version_file  # noqa: PLC0415 - as above

    root = find_root()
    source = loaded(root, f"{layout.MODELS}/{name.partition('/')[0]}/")
    reference = _version(source, name)
    version = source.version(reference)
    assert version is not None, reference  # noqa: S101 - `_version` has found it
    store, rows, problems = workshop_of(root).store, [], []
    for file in version.spec.files:
        with version_file(root, reference, version, file, store) as stream:
            row, problem = _row(file, stream, version.path)
        rows.append(row)
        problems += [problem] if problem else []
    print_rows(rows, _COLUMNS, form)
    if problems:
        raise ProblemsFound(tuple(problems))


def _version(source: "Source", name: str) -> str:
    if "/" in name:
        return version_of(source, name)
    reference = newest(model_of(source, name).versions, name)
    if reference is None:
        raise UsageError(f"model `{name}` has no version yet", f"mmgit model register {name} PATH")
    return reference


def _row(file: "ModelFile", stream: IO[bytes], place: str) -> tuple[dict[str, Any], Problem | None]:
    """A file, and what is wrong with loading it."""
    from mmgit.edits.model_files import blocks_of, measure  # noqa: PLC0415 - as above
    from mmgit.formats.confined import scanned  # noqa: PLC0415 - as above
    from mmgit.formats.policy import risk_of  # noqa: PLC0415 - as above

    if measure(blocks_of(stream)) != (file.sha256, file.size):
        raise UsageError(f"{file.path} is not the file that was registered", "mmgit check")
    seen = scanned(file.path, stream)
    risk = risk_of(seen.imports, seen.doubts)
    row = {"file": file.path, "format": seen.format, "says": str(risk) or "nothing to fear", "imports": [*seen.imports]}
    if not risk.is_refused:
        return row, None
    return row, Problem("M327", Place(place), f"`{file.path}` is {seen.format}: {risk}", risk.remedy)
