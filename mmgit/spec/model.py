"""`model.yaml` and `version.yaml`: what a model is, and one immutable version of it."""

from typing import Annotated, Literal

from mmgit.spec.fields import REFERENCE_FORMS, Date, Document, List, RelativePath, Sha256, Text, Uri, Version
from mmgit.spec.project import Format
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.training import TrainingSpec
from mmgit.spec.vocabulary import Matching, Sized, Within

Metric = Annotated[
    str, Matching(r"[A-Za-z][A-Za-z0-9_@.-]{0,63}", "a metric name of letters, digits, '_', '@', '.', '-'")
]
Tag = Annotated[str, Matching(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,63}", "a tag of letters, digits, '_', '.', '/', '-'")]


class MetricSpec(Spec):
    """Which way a metric is better."""

    better: Literal["higher", "lower"]
    """Whether more of it is better."""


class ModelSpec(Document):
    """A machine-learning model: what it is for, who owns it, how its versions are compared."""

    kind: Literal["Model"]
    description: Text = ""
    """What it is for."""
    task: Text = ""
    """What it does, like `classification`."""
    owners: List[Text] = ()
    """People or teams."""
    licence: Text = ""
    """Its licence, as SPDX names it."""
    tags: dict[Tag, Text] = EMPTY
    """Anything else, by name."""
    metrics: dict[Metric, MetricSpec] = EMPTY
    """How its versions are compared."""
    training: TrainingSpec | None = None
    """How it is trained again."""


class Framework(Spec):
    """What the model was made with."""

    name: Text
    """Its name, like `scikit-learn`."""
    version: Text = ""
    """Its version."""
    python: Version | None = None
    """The Python that it ran on."""


Import = Annotated[str, Matching(r"[\w.]{1,200}:[\w.]{1,200}", "a name in a module, like collections:OrderedDict")]


class ModelFile(Spec):
    """One file of a model version: in the version's folder, or at `uri`."""

    path: RelativePath
    """Where the scoring script finds it."""
    sha256: Sha256
    """What it holds, as SHA-256."""
    size: Annotated[int, Within(0)]
    """Bytes."""
    uri: Uri | None = None
    """Where it is, if it is not in the folder."""
    format: Format | None = None
    """What it is by its content, as it was registered; not looked at without a word."""
    imports: List[Import] = ()
    """What loading it imports, by the pickles in it."""
    unclear: Text = ""
    """What could not be told about loading it."""

    def check(self) -> None:
        """What it imports was seen together with its format."""
        if (self.imports or self.unclear) and self.format is None:
            raise ValueError("what a file imports is recorded with its format")


class Data(Spec):
    """A data set that a version was trained on."""

    uri: Text
    """Where it is, or what it is called."""
    sha256: Sha256 | None = None
    """What it held, as SHA-256."""


class Lineage(Spec):
    """Where a version comes from."""

    commit: Annotated[str, Matching(r"[0-9a-f]{7,64}", "a commit of 7 to 64 hexadecimal digits")] | None = None
    """The commit of the code that trained it."""
    data: List[Data] = ()
    """What it was trained on."""
    trained_by: Text = ""
    """The command that made it, if mmgit started that."""
    trained_on: Date | None = None
    """The day on which that was."""
    run: Text = ""
    """The run that made it, as a tracker of experiments shows it."""


class VersionSpec(Document):
    """One immutable version of a model."""

    kind: Literal["ModelVersion"]
    description: Text = ""
    """What is new in it."""
    framework: Framework | None = None
    """What it was made with."""
    files: Annotated[List[ModelFile], Sized(1)]
    """All of its files."""
    reference: ModelFile | None = None
    """Rows like those that it was trained on, in Parquet or CSV: what telemetry is compared with. In no image."""
    metrics: dict[Metric, float] = EMPTY
    """How good it is, by name."""
    tags: dict[Tag, Text] = EMPTY
    """Anything else, by name."""
    lineage: Lineage | None = None
    """Where it comes from."""

    def check(self) -> None:
        """The reference is a file of its own, in a form that is read."""
        if self.reference is None:
            return
        if not self.reference.path.endswith(REFERENCE_FORMS):
            raise ValueError(f"the reference is {' or '.join(REFERENCE_FORMS)}, not {self.reference.path}")
        if self.reference.path in {file.path for file in self.files}:
            raise ValueError(f"{self.reference.path} is the reference, and one of the files")
