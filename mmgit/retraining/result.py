"""What a training made: files that are declared, and metrics. It comes of people's code, so nothing is taken on trust.

It may also come from another machine, in a folder: the files in `outputs/`, and `result.json` beside that.
"""

import json
import shutil
import tempfile
from pathlib import Path

from mmgit.edits.model_files import FoundFile
from mmgit.errors import TrainingFailed, UnsafePath, UsageError
from mmgit.frozen import dataclass
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.retraining.data import copy, uri_of
from mmgit.spec import Refused
from mmgit.spec.fields import List
from mmgit.spec.model import Data, Metric
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.training import TrainingData, TrainingSpec
from mmgit.untrusted import json_value

HANDED_OVER, OUTPUTS = "result.json", "outputs"
_JSON_BYTES_MAX = 2**20


@dataclass(frozen=True)
class Result:
    """Model files by the names that are declared, metrics, and the data that they come of."""

    files: tuple[FoundFile, ...]
    metrics: dict[str, float]
    data: tuple[Data, ...]
    reference: FoundFile | None = None
    """Rows like those that it was trained on."""


class _Metrics(Spec):
    metrics: dict[Metric, float] = EMPTY


class _HandedOver(Spec):
    model: str
    commit: str
    data: List[Data] = ()


def result_in(folder: Path, training: TrainingSpec, data: tuple[Data, ...], workspace: Path) -> Result:
    """What lies in a folder of outputs, copied into the workspace: whoever wrote it may go on writing.

    Raises `TrainingFailed` where that is not what is declared.
    """
    if Root(folder.parent).kind(folder.name) != "folder":
        raise TrainingFailed(f"{folder} is no folder", "a link that stands in its place is not followed")
    root, own = Root(folder), Path(tempfile.mkdtemp(dir=workspace))
    try:
        names = [name for output in training.outputs for name in _names(root, output)]
        files = tuple(_taken(root, name, own) for name in sorted({*names}))
        metrics = _metrics(root, training.metrics)
        compared = _names(root, training.reference) if training.reference else []
        reference = _taken(root, compared[0], own) if compared else None
    except UnsafePath as error:
        raise TrainingFailed(f"the training made more than plain files: {error.message}", error.hint) from error
    return Result(files, metrics, data, reference)


def make_room(folder: Path) -> None:
    """Make a folder for what shall be handed over. Raises `UsageError` if that cannot be, before hours of training."""
    try:
        (folder / OUTPUTS).mkdir(parents=True)
        (folder / OUTPUTS).rmdir()
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}", "name a folder that is not there yet") from error


def hand_over(result: Result, folder: Path, *, model: str, commit: str, metrics_file: str) -> None:
    """Write a result into a folder where no other one lies, for another machine."""
    (folder / OUTPUTS).mkdir(parents=True)
    for file in (*result.files, *([result.reference] if result.reference else ())):
        assert file.source is not None  # noqa: S101 - it was measured here
        target = folder / OUTPUTS / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.source, target)
    (folder / OUTPUTS / metrics_file).parent.mkdir(parents=True, exist_ok=True)
    (folder / OUTPUTS / metrics_file).write_text(json.dumps(result.metrics))
    tell(folder, result.data, model=model, commit=commit)


def tell(folder: Path, data: tuple[Data, ...], *, model: str, commit: str) -> None:
    """Say of the outputs in a folder that they are a result, and of what; all or nothing."""
    told = _HandedOver(model=model, commit=commit, data=data).plain(without_none=True)
    new = folder / f".{HANDED_OVER}.new"
    new.unlink(missing_ok=True)
    new.write_text(json.dumps(told, indent=1) + "\n")
    new.replace(folder / HANDED_OVER)


def handed_over(folder: Path, training: TrainingSpec, workspace: Path, *, model: str, commit: str) -> Result:
    """A result that another machine made of this very commit; or one of no commit, where the files are of none.

    Raises:
        TrainingFailed: it is no result of this training.
        UsageError: it is of another model or commit.
    """
    try:
        told = _HandedOver.read(json_value(Root(folder).read(HANDED_OVER, _JSON_BYTES_MAX)))
    except (Refused, ValueError) as error:
        raise TrainingFailed(f"{folder}/{HANDED_OVER} is not of mmgit: {error}") from error
    if (told.model, told.commit) != (model, commit):
        made, wanted = (f"at {each[:12]}" if each else "with edited files" for each in (told.commit, commit))
        message = f"{folder} is a result of {told.model} {made}, not of {model} {wanted}"
        raise UsageError(message, f"mmgit retrain {model}   trains it as it is here")
    is_declared = [_is_of(*pair, model) for pair in zip(told.data, training.data, strict=False)]
    if len(told.data) != len(training.data) or not all(is_declared):
        raise TrainingFailed(f"{folder}/{HANDED_OVER} names other data than model.yaml declares")
    return result_in(folder / OUTPUTS, training, told.data, workspace)


def _is_of(told: Data, declared: TrainingData, model: str) -> bool:
    """Whether a set of data that was trained on is the one that is declared."""
    is_there = told.uri == uri_of(declared, layout.training_folder(model))
    return is_there and told.sha256 is not None and declared.sha256 in (None, told.sha256)


def _taken(root: Root, name: str, own: Path) -> FoundFile:
    with root.stream(name) as source:
        sha256 = copy(source, own / name)
    return FoundFile(name, sha256, (own / name).stat().st_size, source=own / name)


def _names(root: Root, output: str) -> list[str]:
    """The file that is declared, or all in the folder. Raises `UnsafePath` for a link, which would lead elsewhere."""
    is_folder = root.kind(output) == "folder"
    found = [f"{output}/{name}" for name in root.walk(output)] if is_folder else [output]
    if not found or not all(root.exists(name) for name in found):
        message = f"the training wrote no {output}"
        raise TrainingFailed(message, "it is to lie in the folder that the variable MMGITOUTPUTS names")
    return found


def _metrics(root: Root, name: str) -> dict[str, float]:
    if not root.exists(name):
        hint = f'json.dump({{"accuracy": 0.98}}, open(os.environ["MMGITOUTPUTS"] + "/{name}", "w"))'
        raise TrainingFailed(f"the training wrote no {name}", hint)
    try:
        metrics = _Metrics.read({"metrics": json_value(root.read(name, _JSON_BYTES_MAX))}).metrics
    except Refused as error:
        raise TrainingFailed(
            f"{name}: {error.details[0]['msg']}", 'metrics are numbers by name: {"auc": 0.9}'
        ) from error
    except ValueError as error:
        raise TrainingFailed(f"{name} is not JSON: {error}") from error
    return metrics
