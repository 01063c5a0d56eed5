"""`model.yaml` and `version.yaml`: what a model is, and one immutable version of it."""

from typing import Annotated, Literal

from mmgit.spec.fields import Date, Document, List, RelativePath, Sha256, Text, Uri, Version
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


class ModelSpec(Document):
    """A machine-learning model: what it is for, who owns it, how its versions are compared."""

    kind: Literal["Model"]
    description: Text = ""
    task: Text = ""
    owners: List[Text] = ()
    licence: Text = ""
    tags: dict[Tag, Text] = EMPTY
    metrics: dict[Metric, MetricSpec] = EMPTY
    training: TrainingSpec | None = None


class Framework(Spec):
    """What the model was made with."""

    name: Text
    version: Text = ""
    python: Version | None = None


class ModelFile(Spec):
    """One file of a model version: in the version's folder, or at `uri`."""

    path: RelativePath
    sha256: Sha256
    size: Annotated[int, Within(0)]
    uri: Uri | None = None


class Data(Spec):
    """A data set that a version was trained on."""

    uri: Text
    sha256: Sha256 | None = None


class Lineage(Spec):
    """Where a version comes from."""

    commit: Annotated[str, Matching(r"[0-9a-f]{7,64}", "a commit of 7 to 64 hexadecimal digits")] | None = None
    data: List[Data] = ()
    trained_by: Text = ""
    """The command that made it, if mmgit started that."""
    trained_on: Date | None = None


class VersionSpec(Document):
    """One immutable version of a model."""

    kind: Literal["ModelVersion"]
    description: Text = ""
    framework: Framework | None = None
    files: Annotated[List[ModelFile], Sized(1)]
    metrics: dict[Metric, float] = EMPTY
    tags: dict[Tag, Text] = EMPTY
    lineage: Lineage | None = None
