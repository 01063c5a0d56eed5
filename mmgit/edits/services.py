"""Creates, changes and removes the declared file of a service.

Only what is asked for changes: one edited line for a new manifest. The URL, the keys and all comments stay.
"""

from collections.abc import Mapping
from typing import Any

from mmgit.desired import FixedScale
from mmgit.edits.change import Change
from mmgit.edits.declaring import edited_file, new_file
from mmgit.edits.references import checked_name, environment_of, manifest_of, service_of
from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.repository import layout, reading
from mmgit.repository.files import Files
from mmgit.repository.source import DeclaredEnvironment, DeclaredService, Source
from mmgit.resolve import listed, scale_of
from mmgit.spec import ServiceSpec
from mmgit.spec.service import Key

ORDER = (
    *("description", "manifest", "image", "next", "hold"),
    *("replicas", "autoscale", "cpu", "memory", "gpu", "concurrency", "spares", "queue", "batch"),
    *("timeout", "startup_timeout"),
    *("variables", "node_selector", "tolerations", "egress", "origins", "labels", "annotations"),
    *("slo", "telemetry", "blueprint", "parameters", "patches", "keys"),
)
"""The order of fields in a service's file."""

Options = Mapping[str, Any]
"""Field -> value. A mapping is merged into the one that is there; None removes a field, or an entry of a mapping."""


@dataclass(frozen=True)
class NewService:
    """What a service is asked to be; `options` say what it runs (`to_run`) and how much of it."""

    environment: str
    name: str
    options: Options
    group: str = layout.DEFAULT_GROUP
    key: Key | None = None


def to_run(source: Source, reference: str, image: str = "") -> dict[str, str | None]:
    """The options that make a service run manifest `<model>/<n>`: the pin if it is built, else `next`.

    `image` is a digest or the beginning of one, and needed where the manifest has several images.
    """
    built = sorted({lock.spec.digest for lock in manifest_of(source, reference).images.values()})
    start = image.removeprefix("sha256:")
    chosen = [digest for digest in built if digest.removeprefix("sha256:").startswith(start)]
    if not built and not image:
        return {"next": reference}
    if len(chosen) != 1:
        message = f"manifest {reference} has {len(chosen)} images" + (f" that begin with {image}" if image else "")
        raise UsageError(message, f"choose with --image: {listed(built)}")
    return {"manifest": reference, "image": chosen[0], "next": None}


def pins(options: Options) -> list[tuple[str, str]]:
    """The manifest and image that options pin a service to, if they do."""
    return [(options["manifest"], options["image"])] if options.get("image") else []


def create(source: Source, wanted: NewService) -> Change:
    """A new service. Raises `UsageError` if the environment has one of that name, or a value is refused."""
    name, group = checked_name(wanted.name, "a service"), checked_name(wanted.group, "a group")
    environment = environment_of(source, wanted.environment)
    taken = next((service.path for service in environment.services if service.name == name), None)
    if taken:
        hint = f"mmgit service update {name} --env {environment.name} …"
        raise UsageError(f"service `{name}` is declared already, in {taken}", hint)
    _refuse_rest(environment, wanted.options)
    options = {**wanted.options, "keys": [row_of(wanted.key)] if wanted.key else None}
    fields = {option: _merged({}, options[option]) for option in ORDER if option in options}
    path = layout.service(environment.name, group, name)
    return Change({path: new_file(path, ServiceSpec, fields)}, f"service {name} in {environment.name}")


def update(source: Source, files: Files, options: Options, *, environment: str, name: str) -> Change:
    """Set the options of a service that are named, and nothing else. An empty change if they are so already.

    Autoscaling in place of several replicas that run begins with a handover.
    """
    service, place = service_of(source, environment, name), environment_of(source, environment)
    _refuse_rest(place, options)
    options = _handing_over(place, service, options)
    data = files.read(service.path, reading.MAX_BYTES)
    declared = reading.parse(data)
    fields = {option: _merged(declared.get(option) or {}, value) for option, value in options.items()}
    edited = edited_file(service.path, ServiceSpec, data, fields=fields, order=ORDER)
    return Change({service.path: edited} if edited != data else {}, f"service {name} in {environment}")


def handed_over(source: Source, *, environment: str, name: str) -> Options:
    """What ends a handover, in option `autoscale`. Raises `UsageError` if there is none."""
    autoscale = service_of(source, environment, name).spec.autoscale
    if autoscale is None or autoscale.handover is None:
        message = f"service `{name}` in {environment} declares no handover"
        raise UsageError(message, f"mmgit service show {name} --env {environment}")
    return {"min": autoscale.min, "handover": None}


def delete(source: Source, *, environment: str, name: str) -> Change:
    """Remove a service from an environment."""
    service = service_of(source, environment, name)
    return Change({service.path: None}, f"service {name} is gone from {environment}")


def set_key(source: Source, files: Files, key: Key, *, environment: str, name: str) -> Change:
    """Add a key to a service, or put it in the place of the key with its name."""
    keys = [row_of(each) for each in service_of(source, environment, name).spec.keys]
    position = next((i for i, each in enumerate(keys) if each["name"] == key.name), len(keys))
    keys[position : position + 1] = [row_of(key)]
    return update(source, files, {"keys": keys}, environment=environment, name=name)


def revoke_key(source: Source, files: Files, key_name: str, *, environment: str, name: str) -> Change:
    """Take a key from a service. Raises `UsageError` if it has none of that name."""
    keys = [row_of(each) for each in service_of(source, environment, name).spec.keys]
    kept = [each for each in keys if each["name"] != key_name]
    if len(kept) == len(keys):
        raise UsageError(
            f"service `{name}` in {environment} has no {key_name} key", f"mmgit service keys {name} --env {environment}"
        )
    return update(source, files, {"keys": kept or None}, environment=environment, name=name)


def row_of(key: Key) -> dict[str, str]:
    """A key as it stands in a service's file."""
    row: dict[str, str] = key.plain(without_none=True)
    return row


def _refuse_rest(environment: DeclaredEnvironment, options: Options) -> None:
    """Raise `UsageError` for a service that may scale to zero where nothing would hold its requests."""
    if (options.get("autoscale") or {}).get("min") != 0:
        return
    from mmgit.checks.environments import ACTIVATOR, nobody_waits  # noqa: PLC0415 - all checks come with it

    if message := nobody_waits(environment):
        raise UsageError(message, f"--min 1   or, {ACTIVATOR}")


def _handing_over(environment: DeclaredEnvironment, service: DeclaredService, options: Options) -> Options:
    before = scale_of(service.spec, environment.spec.defaults)
    if not isinstance(before, FixedScale) or before.replicas == 1 or service.spec.manifest is None:
        return options
    if not options.get("autoscale") or environment.spec.target != "kubernetes":
        return options
    return {**options, "autoscale": {"handover": before.replicas, **options["autoscale"]}}


def _merged(before: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401 - any field's value
    if not isinstance(value, Mapping):
        return value
    return {name: item for name, item in {**before, **value}.items() if item is not None} or None
