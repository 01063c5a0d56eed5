"""The packages of a training: requirements come in, `pylock.toml` goes out, which says what it is a lock of."""

from mmgit.edits.change import Change
from mmgit.edits.references import model_of
from mmgit.errors import UsageError
from mmgit.images.dependencies import Asked, Lock
from mmgit.inputs import LOCK_FILE, MAX_SCORING_BYTES, training_head, training_python
from mmgit.repository import layout
from mmgit.repository.files import Files
from mmgit.repository.source import Source
from mmgit.spec.training import TrainingSpec


def training_of(source: Source, model: str) -> TrainingSpec:
    """How a model is trained. Raises `UsageError` if it does not say."""
    declared = model_of(source, model)
    if declared.spec.training is None:
        hint = f"training: {{command: [python, train.py], outputs: [model.skops]}}   in {declared.path}"
        raise UsageError(f"model `{model}` does not say how it is trained", hint)
    return declared.spec.training


def python_of(source: Source, training: TrainingSpec) -> str:
    """The Python minor that a training runs on: its own, else the one of the base that images stand on."""
    python = training_python(source, training)
    if python is None:
        raise UsageError("no base says which Python trains", 'training: {python: "3.11", …}   in model.yaml')
    return python


def locked(source: Source, files: Files, model: str, lock: Lock) -> Change:
    """The lock of a training's requirements, made anew."""
    training = training_of(source, model)
    python, requirements = python_of(source, training), _requirements(files, model, training)
    path = f"{layout.training_folder(model)}/{LOCK_FILE}"
    made = lock(Asked(requirements.decode(), python))
    if made.wheels:
        raise UsageError(f"{min(made.wheels)} is in no index", f"what trains `{model}` comes from indexes alone")
    data = training_head(requirements, python) + made.pylock
    return Change({path: data}, f"{path}: what {training.requirements} means for Python {python} today")


def lock_of(source: Source, files: Files, model: str) -> bytes:
    """The lock of a training. Raises `UsageError` if there is none, or one of other requirements."""
    training = training_of(source, model)
    path, hint = f"{layout.training_folder(model)}/{LOCK_FILE}", f"mmgit retrain {model} --lock"
    if not files.exists(path):
        raise UsageError(f"the packages that train `{model}` are not locked: there is no {path}", hint)
    data = files.read(path)
    if not data.startswith(training_head(_requirements(files, model, training), python_of(source, training))):
        raise UsageError(f"{path} is not of {training.requirements} as it is, or of another Python", hint)
    return data


def _requirements(files: Files, model: str, training: TrainingSpec) -> bytes:
    path = f"{layout.training_folder(model)}/{training.requirements}"
    if not files.exists(path):
        raise UsageError(f"there is no {path}, which names what trains `{model}`", "write it; it may be empty")
    return files.read(path, MAX_SCORING_BYTES)
