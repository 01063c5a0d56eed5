"""`mmgit schema`: JSON Schemas for editors."""

import json
import os
from pathlib import Path

import click

from mmgit.cli.context import find_root
from mmgit.errors import UsageError
from mmgit.repository import layout
from mmgit.spec.editor import KINDS, editor_schema, file_name

_GLOBS = {
    "Project": layout.PROJECT,
    "Base": f"{layout.BASES}/*.lock.yaml",
    "Model": f"{layout.MODELS}/*/model.yaml",
    "ModelVersion": f"{layout.MODELS}/*/versions/*/version.yaml",
    "Manifest": f"{layout.MODELS}/*/manifests/*/manifest.yaml",
    "Image": f"{layout.MODELS}/*/manifests/*/images/*.yaml",
    "Environment": f"{layout.ENVIRONMENTS}/*/environment.yaml",
    "Service": f"{layout.ENVIRONMENTS}/*/services/**/*.yaml",
}


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
def schema(folder: Path | None) -> None:
    """Write the JSON Schema of each kind of declared file into FOLDER, by default .mmgit/schemas.

    The line to put at the top of a file is printed for each kind, and so are the settings of VS Code's YAML extension.
    """
    root = find_root()
    target = root.path / layout.STATE / "schemas" if folder is None else folder
    try:
        target.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            text = json.dumps(editor_schema(kind), indent=2, ensure_ascii=False) + "\n"
            (target / file_name(kind)).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}", "mmgit schema FOLDER   where files may be written") from error
    shown = Path(os.path.relpath(target, root.path)).as_posix()
    print(f"{len(KINDS)} schemas in {target}")
    print("at the top of a file, for editors with a YAML language server:")
    print(f"  # yaml-language-server: $schema=<path to>/{file_name('Service')}")
    print("or once for all files, in .vscode/settings.json:")
    settings = {"yaml.schemas": {f"{shown}/{file_name(kind)}": pattern for kind, pattern in _GLOBS.items()}}
    print(json.dumps(settings, indent=2))
