"""`manifest.yaml`: the recipe for an image, frozen from a model's scoring folder. Never edited by hand."""

from typing import Annotated, Literal

from pydantic import Field

from mmgit.spec.fields import Document, List, Name, Reference, RelativePath, Text, Version


class ManifestSpec(Document):
    """The recipe for an image. Its files lie beside it; `dependencies` is locked beside it in `pylock.toml`."""

    kind: Literal["Manifest"]
    description: Text = ""
    runtime: Literal["python"] = "python"
    python: Version
    base: Name = "default"
    models: Annotated[List[Reference], Field(min_length=1)]
    scoring: RelativePath = "score.py"
    files: List[RelativePath] = ()
    dependencies: RelativePath | None = None
    schema_: RelativePath | None = Field(default=None, alias="schema")
    sample: RelativePath | None = None
    golden: RelativePath | None = None
    """Rows that `mmgit try` asks, in JSON Lines; not part of the image."""
