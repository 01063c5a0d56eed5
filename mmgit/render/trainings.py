"""A training as objects of a cluster: declarations in, a Job, CronJob or RayJob out. They are printed, not rendered.

A controller that owned a Job would make it again, and so run it again, whenever it is removed after its end.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from mmgit.blueprints.faults import BlueprintFault
from mmgit.desired import Blueprint, DesiredEnvironment, DesiredService, FixedScale
from mmgit.errors import Finding
from mmgit.frozen import dataclass
from mmgit.render import escaping
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.canonical import canonical
from mmgit.render.context import variable_of
from mmgit.render.shapes import Object, map_at
from mmgit.repository import layout
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
    asked = (layout.environment(environment.name), ("retraining",))
    with BlueprintSet(blueprints) as found:
        ready = found.ready(wanted.spec.blueprint, asked)
        parameters = ready.parameters.values(wanted.spec.parameters, asked[0])
        built = ready.build(_variables(environment, wanted, parameters))
    if not built or (wanted.schedule and not any(each.get("kind") == "CronJob" for each in built)):
        message = f"blueprint `{wanted.spec.blueprint}` makes nothing that runs on a schedule"
        raise BlueprintFault(Finding("M512", *asked, message, "mmgit retrain MODEL --objects once"))
    return [canonical(escaping.kubernetes(_with_metadata(each, environment, wanted))) for each in built]


def subject(environment: DesiredEnvironment, wanted: Training) -> DesiredService:
    """What the checks of objects are told instead of a service."""
    return DesiredService(
        group=layout.DEFAULT_GROUP,
        name=wanted.name,
        path=layout.environment(environment.name),
        manifest="",
        models=(),
        image=wanted.spec.image,
        scale=FixedScale(1),
        cpu=wanted.spec.cpu,
        memory=wanted.spec.memory,
        concurrency=1,
        queue=0,
        timeout_seconds=0,
        startup_timeout_seconds=0,
        variables=wanted.spec.variables,
        gpu=wanted.spec.gpu or 0,
        node_selector={},
        tolerations=(),
        egress=(),
        labels=wanted.spec.labels,
        annotations={},
        blueprint=wanted.spec.blueprint,
        parameters=wanted.spec.parameters,
        patches=(),
        keys=(),
    )


def _labels(wanted: Training) -> dict[str, str]:
    own = {"app.kubernetes.io/managed-by": "mmgit", "mmgit.dev/training": wanted.spec.model}
    return dict(sorted({**wanted.spec.labels, **own}.items()))


def _with_metadata(each: Object, environment: DesiredEnvironment, wanted: Training) -> Object:
    metadata = {
        "name": wanted.name,
        **map_at(each, "metadata"),
        "namespace": environment.spec.namespace,
        "labels": _labels(wanted),
    }
    return {"apiVersion": None, "kind": None, "metadata": None, **each} | {"metadata": metadata}


def _variables(environment: DesiredEnvironment, wanted: Training, parameters: Mapping[str, Any]) -> dict[str, Any]:
    spec, command = wanted.spec, [*wanted.training.command]
    literal: Sequence[tuple[str, Any]] = sorted({**wanted.training.variables, **spec.variables}.items())
    return {
        "environment": {"name": environment.name, "namespace": environment.spec.namespace},
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
            "variables": [variable_of(name, value) for name, value in literal],
        },
        "parameters": parameters,
    }
