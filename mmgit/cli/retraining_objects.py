"""The objects by which a cluster trains a model: made of declarations, checked, and printed for `kubectl create`."""

from datetime import UTC, datetime
from functools import partial

from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.printing import text_of
from mmgit.edits.references import environment_of
from mmgit.errors import UsageError
from mmgit.repository import layout
from mmgit.repository.source import Source
from mmgit.retraining.locking import training_of
from mmgit.spec.retraining import RetrainingSpec

_MODEL_CHARACTERS = 23
"""Of the name of what runs once: with the time it has the 47 that KubeRay takes."""


def objects_text(model: str, environments: tuple[str, ...], *, is_scheduled: bool) -> str:
    """The objects as YAML. Raises `ProblemsFound` for what a cluster would refuse."""
    from mmgit.desired import DesiredEnvironment  # noqa: PLC0415 - --help must not wait for it
    from mmgit.pipeline import training_objects  # noqa: PLC0415 - as above
    from mmgit.render.trainings import Training  # noqa: PLC0415 - as above
    from mmgit.resolve import blueprints_of  # noqa: PLC0415 - as above

    root = find_root()
    source = loaded(root, f"{layout.MODELS}/{model}/", f"{layout.ENVIRONMENTS}/")
    training = training_of(source, model)
    name, spec = _where(source, model, environments)
    if is_scheduled and not training.schedule:
        hint = 'training: {schedule: "0 3 * * 1", …}   in model.yaml'
        raise UsageError(f"model `{model}` declares no schedule", hint)
    once = f"training-{model[:_MODEL_CHARACTERS].rstrip('-')}-{datetime.now(UTC):%Y%m%d%H%M%S}"
    wanted = Training(spec, training, once)
    if is_scheduled:
        wanted = Training(spec, training, f"training-{model}", training.schedule or "")
    environment = DesiredEnvironment(name, environment_of(source, name).spec, ())
    return text_of(root, partial(training_objects, environment, wanted, blueprints_of(source)))


def _where(source: Source, model: str, environments: tuple[str, ...]) -> tuple[str, RetrainingSpec]:
    """The environment whose cluster trains a model. Raises `UsageError` unless it is one."""
    for name in environments:
        environment_of(source, name)
    found = [
        (environment.name, each)
        for environment in source.environments.values()
        for each in environment.spec.retraining
        if each.model == model and (not environments or environment.name in environments)
    ]
    if len(found) != 1:
        where = "   or   ".join(f"--env {name}" for name, _ in found)
        hint = where or f"retraining: [{{model: {model}, image: …, outputs: …}}]   in environment.yaml"
        who = f"{len(found)} environments say how their cluster" if found else "no environment says how its cluster"
        raise UsageError(f"{who} trains `{model}`", hint)
    return found[0]
