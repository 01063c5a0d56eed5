"""`manifest.yaml`: the recipe for an image, frozen from a model's scoring folder. Never edited by hand."""

from typing import Annotated, Literal

from mmgit.spec.fields import Document, List, Name, Reference, RelativePath, Text, Version
from mmgit.spec.vocabulary import Matching, Sized

Output = Annotated[str, Matching(r"[^\x00-\x1f\x7f]{1,256}", "the name of an output")]
TypeName = Annotated[str, Matching(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", "the name of a type, like package.module.Class")]


class ManifestSpec(Document):
    """The recipe for an image. Its files lie beside it; `dependencies` is locked beside it in `pylock.toml`."""

    kind: Literal["Manifest"]
    description: Text = ""
    runtime: Literal["python", "sklearn", "onnx", "xgboost", "lightgbm"] = "python"
    """Who answers: the scoring script (`python`), or a library that is given the model file alone."""
    outputs: List[Output] = ()
    """What a runtime without a script answers with; by default what its library predicts."""
    trusted: List[TypeName] = ()
    """Types beyond those that skops trusts by itself, which a model file may hold."""
    python: Version
    base: Name = "default"
    models: Annotated[List[Reference], Sized(1)]
    scoring: RelativePath = "score.py"
    files: List[RelativePath] = ()
    dependencies: RelativePath | None = None
    schema_: RelativePath | None = None
    sample: RelativePath | None = None
    golden: RelativePath | None = None
    """Rows that `mmgit try` asks, in JSON Lines; not part of the image."""

    @property
    def script(self) -> str | None:
        """The scoring script; a runtime without one runs nothing of the repository."""
        return self.scoring if self.runtime == "python" else None
