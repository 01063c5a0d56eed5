import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmgit.spec.editor import KINDS, editor_schema

Here = Callable[..., Path]
Mmgit = Callable[..., Any]


def test_a_schema_of_each_kind_is_written_where_git_does_not_see_it(here: Here, mmgit: Mmgit) -> None:
    root = here()

    ended = mmgit("schema")

    written = {path.name: json.loads(path.read_text()) for path in (root / ".mmgit/schemas").iterdir()}
    assert ended.code == 0
    assert len(written) == len(KINDS)
    assert written["service.schema.json"] == editor_schema("Service")


def test_the_line_for_a_file_and_the_settings_for_all_are_printed(here: Here, mmgit: Mmgit) -> None:
    root = here()

    out = mmgit("schema", str(root / "schemas")).out

    assert "# yaml-language-server: $schema=" in out
    settings = json.loads(out[out.index("{\n") :])
    patterns = settings["yaml.schemas"]
    assert patterns["schemas/service.schema.json"] == "environments/*/services/**/*.yaml"
    assert {path for path in patterns if not (root / path).exists()} == set()


def test_a_folder_that_cannot_be_made_is_named(here: Here, mmgit: Mmgit) -> None:
    root = here()

    ended = mmgit("schema", str(root / "mmgit.yaml" / "schemas"))

    assert ended.code == 2
    assert "mmgit.yaml/schemas" in ended.err
