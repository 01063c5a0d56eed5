"""`manifest.yaml`: the recipe for an image, frozen from a model's scoring folder. Never edited by hand."""

from typing import Annotated, Literal

from mmgit.serving.scorer.scripted import SCRIPTED
from mmgit.spec.fields import PACKAGE_NAME, Document, List, Name, Reference, RelativePath, Text, Version
from mmgit.spec.vocabulary import Matching, Sized

Output = Annotated[str, Matching(r"[^\x00-\x1f\x7f]{1,256}", "the name of an output")]
Extra = Annotated[str, Matching(PACKAGE_NAME, "the name of an extra")]
PackageName = Annotated[str, Matching(PACKAGE_NAME, "the name of a package")]
TypeName = Annotated[str, Matching(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", "the name of a type, like package.module.Class")]


class ManifestSpec(Document):
    """The recipe for an image. Its files lie beside it; `dependencies` is locked beside it in `pylock.toml`."""

    kind: Literal["Manifest"]
    description: Text = ""
    """What is new in it."""
    runtime: Literal["python", "spark-py", "sklearn", "onnx", "xgboost", "lightgbm"] = "python"
    """Who answers: the scoring script (`python`, or `spark-py` beside Spark), or a library with a model file alone."""
    outputs: List[Output] = ()
    """What a runtime without a script answers with; by default what its library predicts."""
    trusted: List[TypeName] = ()
    """Types beyond those that skops trusts by itself, which a model file may hold."""
    volume: bool = False
    """Whether the model files are an image of their own, which Kubernetes 1.35 and newer mounts as a volume."""
    python: Version
    """The minor version of Python."""
    base: Name = "default"
    """The base of the image."""
    models: Annotated[List[Reference], Sized(1)]
    """The model versions in it."""
    scoring: RelativePath = "score.py"
    """The scoring script."""
    files: List[RelativePath] = ()
    """Other files that it reads."""
    dependencies: RelativePath | None = None
    """What it needs, as it was declared."""
    extras: List[Extra] = ()
    """The optional dependencies of `pyproject.toml` that are in it."""
    sdists: List[PackageName] = ()
    """Packages that were built from source, as they have no wheel."""
    conda: RelativePath | None = None
    """The lock of packages of conda's own."""
    wheels: List[RelativePath] = ()
    """Wheels that are in no index, and are named by the lock."""
    steps: RelativePath | None = None
    """What customises the image: RUN, ENV, ARG, LABEL and EXPOSE."""
    schema_: RelativePath | None = None
    """What `run()` takes and gives, as JSON Schema."""
    sample: RelativePath | None = None
    """A request to try."""
    golden: RelativePath | None = None
    """Rows that `mmgit try` asks, in JSON Lines; not part of the image."""

    @property
    def script(self) -> str | None:
        """The scoring script; a runtime without one runs nothing of the repository."""
        return self.scoring if self.runtime in SCRIPTED else None
