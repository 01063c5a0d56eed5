"""How a model is trained, in `model.yaml`: a command of its folder `training/`, what that needs, and when it is due."""

from typing import Annotated

from mmgit.spec.fields import REFERENCE_FORMS, Count, Duration, List, RelativePath, Sha256, Text, Uri, Variable, Version
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.vocabulary import Matching, Sized, Within

_VERSION = "version.yaml"
_READ = ("https://", "file://")
_FORGES = ("GIT_", "GITHUB_", "GH_", "GITLAB_", "GITEA_", "FORGEJO_", "ACTIONS_", "RUNNER_", "CI_", "SSH_", "DOCKER_")
_OURS = ("MMGIT_", "LD_", "DYLD_", *_FORGES)
_SET = frozenset({"PATH", "HOME", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "BASH_ENV"})

Schedule = Annotated[
    str, Matching(r"(?:[0-9*,/-]{1,40} ){4}[0-9*,/-]{1,40}", 'five fields of cron, by UTC, like "0 3 * * 1"')
]
Word = Annotated[Text, Sized(1)]


class TrainingData(Spec):
    """One data set: a file or folder in `training/`, a file at a URI, or rows of telemetry that people labelled."""

    path: RelativePath | None = None
    """A file or folder in `training/`."""
    uri: Uri | None = None
    """A file elsewhere, `https://` or `file://`."""
    telemetry: RelativePath | None = None
    """The name under which the command finds the file that `mmgit retrain --telemetry` names."""
    sha256: Sha256 | None = None
    """What it must hold, as SHA-256."""

    def check(self) -> None:
        """One place, which mmgit can read."""
        if sum(place is not None for place in (self.path, self.uri, self.telemetry)) != 1:
            raise ValueError("give one of path, uri and telemetry")
        if self.uri is not None and not self.uri.startswith(_READ):
            raise ValueError(f"data is read from {' and '.join(_READ)}, not from {self.uri.partition(':')[0]}://")

    @property
    def name(self) -> str:
        """Under which name the command finds it."""
        return _name_of(self)


class Trigger(Spec):
    """What makes a training due: each by itself."""

    after: Duration | None = None
    """So long after the newest version was made."""
    drift: Annotated[float, Within(above=0)] | None = None
    """A feature or output moved by that much: its population stability index (PSI)."""
    rows: Count | None = None
    """So many rows of telemetry are there that the newest version has not seen."""


class TrainingSpec(Spec):
    """A command that is started in a copy of `training/`, by the packages that its requirements are locked to.

    It reads data in the folder `MMGIT_DATA`, and writes model files and metrics into the folder `MMGIT_OUTPUTS`.
    """

    command: Annotated[List[Word], Sized(1)]
    """The program and its arguments; no shell."""
    outputs: Annotated[List[RelativePath], Sized(1)]
    """Model files that it writes: the files of the next version."""
    reference: RelativePath | None = None
    """Rows like those that it was trained on, which it writes as Parquet or CSV: what telemetry is compared with."""
    metrics: RelativePath = "metrics.json"
    """A file that it writes: a JSON object of metrics."""
    python: Version | None = None
    """The minor version of Python."""
    requirements: RelativePath = "requirements.txt"
    """What it needs, locked beside it."""
    data: List[TrainingData] = ()
    """What it reads."""
    variables: dict[Variable, Text] = EMPTY
    """Variables that it gets."""
    inherit: List[Variable] = ()
    """Names of variables that the command may see as they are where it is started, for its way to the data."""
    timeout: Duration = "1h"
    """How long it may take."""
    schedule: Schedule | None = None
    """When a workflow or CronJob starts it."""
    trigger: Trigger = Trigger()
    """When it is due."""

    def check(self) -> None:
        """Files have names of their own; no variable changes what starts the command or holds what opens a forge."""
        names = [*self.outputs, self.metrics, *([self.reference] if self.reference else [])]
        if len({*names}) < len(names):
            raise ValueError("outputs, reference and metrics name the same file")
        if reserved := [name for name in names if name.partition("/")[0] == _VERSION]:
            raise ValueError(f"{reserved[0]} is mmgit's own name for a version")
        if self.reference and any(self.reference.startswith(f"{output}/") for output in self.outputs):
            raise ValueError(f"the reference {self.reference} lies in a folder of outputs, which is of the model alone")
        if self.reference and not self.reference.endswith(REFERENCE_FORMS):
            raise ValueError(f"the reference is {' or '.join(REFERENCE_FORMS)}, not {self.reference}")
        found = [_name_of(each) for each in self.data]
        if twice := sorted({name for name in found if found.count(name) > 1}):
            raise ValueError(f"two data sets would be called {twice[0]}")
        for name in (*self.variables, *self.inherit):
            if name in _SET or name.startswith(_OURS):
                raise ValueError(f"the command gets no variable {name}")


def _name_of(data: TrainingData) -> str:
    return data.telemetry or data.path or str(data.uri).rstrip("/").rpartition("/")[2] or "data"
