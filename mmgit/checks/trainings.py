"""What trains models has its requirements, locked, a warning: nothing that runs depends on it.

What clusters are to train says how, and what they are to build can be fetched.
"""

from collections.abc import Iterator

from mmgit.checks.scope import Scope
from mmgit.errors import Finding, MmgitError
from mmgit.inputs import LOCK_FILE, MAX_SCORING_BYTES, training_head, training_python
from mmgit.repository import layout
from mmgit.repository.source import Source
from mmgit.spec.building import BuildingSpec


def trainings_are_locked(scope: Scope) -> Iterator[Finding]:
    """The lock of each training is there, and of its requirements as they are."""
    for model in scope.source.models.values():
        training = model.spec.training
        if training is None:
            continue
        folder, keys = layout.training_folder(model.name), ("training", "requirements")
        requirements = _read(scope, f"{folder}/{training.requirements}")
        if requirements is None:
            message = f"there is no {folder}/{training.requirements}, which names what trains `{model.name}`"
            yield Finding("M371", model.path, keys, message, "write it; it may be empty", "warning")
            continue
        head = training_head(requirements, training_python(scope.source, training))
        if not (_read(scope, f"{folder}/{LOCK_FILE}") or b"").startswith(head):
            message = f"{folder}/{LOCK_FILE} is not there, or not of {training.requirements} as it is"
            yield Finding("M372", model.path, keys, message, f"mmgit retrain {model.name} --lock", "warning")


def clusters_train_what_can_be_trained(scope: Scope) -> Iterator[Finding]:
    """Each model that a cluster trains says how."""
    for environment in scope.source.environments.values():
        for position, each in enumerate(environment.spec.retraining):
            model = scope.source.models.get(each.model)
            is_unread = model is None and _read(scope, layout.model(each.model)) is not None
            if not is_unread and (model is None or model.spec.training is None):
                message = f"a cluster is to train model `{each.model}`, which does not say how it is trained"
                hint = f"training: {{command: …, outputs: …}}   in {layout.model(each.model)}"
                keys = ("retraining", position, "model")
                yield Finding("M373", layout.environment(environment.name), keys, message, hint)


def clusters_can_fetch_what_they_build(scope: Scope) -> Iterator[Finding]:
    """Pods get the declarations by https, from where the environment or the forge of the project says."""
    for environment in scope.source.environments.values():
        building = environment.spec.building
        if building and (message := unreachable(fetched_from(scope.source, building))):
            yield Finding("M374", environment.path, ("building",), message, "building: {repository: https://…}")


def fetched_from(source: Source, building: BuildingSpec) -> str:
    """The address of the declarations; empty where nobody says it."""
    forge = source.project.spec.forge
    return building.repository or (forge.clone_url if forge else "")


def unreachable(address: str) -> str:
    """Why pods cannot get the declarations from an address; empty if they can."""
    if not address:
        return "nobody says where pods get the declarations from"
    return (
        "" if address.startswith("https:") else f"pods fetch by https alone, and the forge of mmgit.yaml is {address}"
    )


def _read(scope: Scope, path: str) -> bytes | None:
    try:
        return scope.read(path, MAX_SCORING_BYTES)
    except MmgitError:
        return None
