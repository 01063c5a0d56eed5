"""A training as objects of a cluster: declarations in, a Job, CronJob or RayJob out. They are printed, not rendered."""

import shlex
from collections.abc import Mapping
from typing import Any

from mmgit.blueprints.faults import BlueprintFault
from mmgit.desired import Blueprint, DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.frozen import dataclass
from mmgit.render import printed
from mmgit.render.shapes import Object
from mmgit.repository import layout
from mmgit.repository.source import Source
from mmgit.spec.fields import seconds_of
from mmgit.spec.retraining import RetrainingSpec
from mmgit.spec.training import TrainingSpec


@dataclass(frozen=True)
class Training:
    """A training of `spec.model` in a cluster; `schedule` is empty for one that runs once."""

    spec: RetrainingSpec
    training: TrainingSpec
    name: str
    """Of the object: `training-<model>`, and what makes it another one each time."""
    schedule: str = ""


def objects_of(environment: DesiredEnvironment, wanted: Training, blueprints: Mapping[str, Blueprint]) -> list[Object]:
    """The objects, completed. Raises `BlueprintFault` where the blueprint makes none, or not for a schedule."""
    at = environment.spec.retraining.index(wanted.spec)
    asked = (layout.environment(environment.name), ("retraining", at))
    built = printed.build(wanted.spec, blueprints, asked, _variables(environment, wanted))
    if not built or (wanted.schedule and not any(each.get("kind") == "CronJob" for each in built)):
        message = f"blueprint `{wanted.spec.blueprint}` makes nothing that runs on a schedule"
        raise BlueprintFault(Finding("M512", *asked, message, "mmgit retrain MODEL --objects once"))
    return printed.completed(built, environment, wanted.name, _labels(wanted))


def examples_of(environment: DesiredEnvironment, source: Source) -> list[Training]:
    """A training of each model once, by which the declarations of where they run are judged."""
    named = ((each, source.models.get(each.model)) for each in environment.spec.retraining)
    told = ((each, model.spec.training if model else None) for each, model in named)
    return [Training(each, training, f"training-{each.model}") for each, training in told if training]


def subject(environment: DesiredEnvironment, wanted: Training) -> DesiredService:
    """What the checks of objects are told instead of a service."""
    return printed.subject(environment, wanted.name, wanted.spec, gpu=wanted.spec.gpu or 0)


def _labels(wanted: Training) -> dict[str, str]:
    return printed.labels_of(wanted.spec, {"mmgit.dev/training": wanted.spec.model})


def _variables(environment: DesiredEnvironment, wanted: Training) -> dict[str, Any]:
    spec, command = wanted.spec, [*wanted.training.command]
    return {
        "environment": printed.told(environment),
        "training": {
            "name": wanted.name,
            "model": spec.model,
            "image": spec.image,
            "command": command,
            "line": shlex.join(command),
            "seconds": int(seconds_of(wanted.training.timeout)) or 1,
            "schedule": wanted.schedule,
            "cpu": spec.cpu,
            "memory": spec.memory,
            "gpu": str(spec.gpu) if spec.gpu else "",
            "outputs": spec.outputs,
            "data": spec.data or "",
            "labels": _labels(wanted),
            "variables": printed.variables_of({**wanted.training.variables, **spec.variables}),
        },
    }
