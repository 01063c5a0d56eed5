"""The options that say how much of a service runs, for `service create` and `service update`."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from mmgit.cli.editing import pairs
from mmgit.errors import UsageError
from mmgit.repository.source import Source

F = TypeVar("F", bound=Callable[..., Any])

_PLAIN = ("description", "cpu", "memory", "gpu", "concurrency", "spares", "queue", "timeout", "startup_timeout")
_AUTOSCALE = ("min", "max", "target", "metric")
_OPTIONS = (
    click.option("--manifest", metavar="NAME/NUMBER", help="The manifest to run."),
    click.option("--image", metavar="DIGEST", default="", help="Which of the manifest's images, if it has several."),
    click.option("--replicas", type=int, help="A fixed number of replicas; ends autoscaling."),
    click.option("--min", type=int, help="Autoscale from so many replicas (1)."),
    click.option("--max", type=int, help="Autoscale up to so many replicas (10)."),
    click.option("--target", type=int, help="Autoscale towards this use in per cent (70)."),
    click.option("--scale-on", "metric", type=click.Choice(["cpu", "concurrency"]), help="Whose use that is (cpu)."),
    click.option("--cpu", help="Processors that are reserved, like 500m."),
    click.option("--memory", help="Memory that is reserved, and the most there is, like 1Gi."),
    click.option("--gpu", type=int, help="Graphics processors."),
    click.option("--concurrency", type=int, help="Scorers in a replica, each with its own copy of the model (1)."),
    click.option("--spares", type=int, help="Scorers that wait, model loaded, to replace one that ends (0)."),
    click.option("--queue", type=int, help="Requests that may wait in a replica (10)."),
    click.option("--batch", type=int, help="Score up to so many waiting requests together, if run() is row-wise (1)."),
    click.option("--timeout", metavar="DURATION", help="How long a score may take, like 60s."),
    click.option("--startup-timeout", metavar="DURATION", help="How long init() may take, like 5m."),
    click.option("--variable", "variables", multiple=True, metavar="NAME=VALUE", help="A variable; NAME- removes it."),
    click.option("--secret", "secrets", multiple=True, metavar="NAME=SECRET/KEY", help="A variable from a secret."),
    click.option("--origin", "origins", multiple=True, metavar="ORIGIN", help="A site whose scripts may call it."),
    click.option("--availability", type=float, help="Objective: per cent of the calls without a 5xx, like 99.9."),
    click.option("--latency", metavar="TIME@SHARE", help="Objective: how fast which per cent of answers is: 250ms@99."),
    click.option("--description", help="What the service is for."),
)


def service_options(command: F) -> F:
    """--manifest, the scale, what is reserved, limits, variables, who may call, objectives and the description."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def options_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a service that were named, as `edits.services` takes them. Raises `UsageError`."""
    options = {name: given[name] for name in _PLAIN if given[name] is not None}
    if given["batch"] is not None:
        options["batch"] = {"max_requests": given["batch"]}
    autoscale = {name: given[name] for name in _AUTOSCALE if given[name] is not None}
    if given["replicas"] is not None and autoscale:
        raise UsageError("give either --replicas or --min, --max, --target and --scale-on", "--min 2 --max 10")
    if given["replicas"] is not None:
        options |= {"replicas": given["replicas"], "autoscale": None}
    if autoscale:
        options |= {"autoscale": autoscale, "replicas": None}
    if variables := _variables(given["variables"], given["secrets"]):
        options["variables"] = variables
    if given["origins"]:
        options["origins"] = list(given["origins"])
    if objectives := {name: given[name] for name in ("availability", "latency") if given[name] is not None}:
        options["slo"] = objectives
    return options


def only_environment(source: Source, service: str, named: str | None) -> str:
    """The environment that is named, else the only one with the service, else the only one. Raises `UsageError`."""
    if named:
        return named
    having = [name for name in source.environments if source.service(name, service)]
    names = having or list(source.environments)
    if len(names) != 1:
        choices = "   or   ".join(f"--env {name}" for name in names) or "mmgit env create dev --target compose …"
        raise UsageError(f"which environment is meant? there are {len(names)}", choices)
    return names[0]


def _variables(literal: tuple[str, ...], secret: tuple[str, ...]) -> dict[str, Any]:
    """Name -> text, secret with key, or None where `NAME-` removes one."""
    removed = {text[:-1]: None for text in literal if text.endswith("-") and "=" not in text}
    variables: dict[str, Any] = dict(pairs(tuple(t for t in literal if t[:-1] not in removed), "--variable"))
    for name, reference in pairs(secret, "--secret").items():
        object_name, has_key, key = reference.partition("/")
        if not has_key:
            raise UsageError(f"--secret {name}={reference}: expected NAME=SECRET/KEY", f"--secret {name}=my-secret/key")
        variables[name] = {"secret": object_name, "key": key}
    return {**variables, **removed}
