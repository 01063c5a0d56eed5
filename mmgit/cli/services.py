"""`mmgit service`: create, update, list, show and delete. Keys, calls and options stand in files of their own."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click

from mmgit.addresses import address_of
from mmgit.cli.bringing import bring, unasked, unverified_option
from mmgit.cli.calling import run, usage
from mmgit.cli.context import find_root
from mmgit.cli.editing import Session, editing, loaded, say
from mmgit.cli.grouped import Grouped
from mmgit.cli.logs import logs
from mmgit.cli.output import Form, output_option, print_one, print_rows
from mmgit.cli.registering import registered, registration_options, wanted_of
from mmgit.cli.releasing import registry_of
from mmgit.cli.service_keys import first_key, key_file_option, keys
from mmgit.cli.service_options import only_environment, options_of, service_options
from mmgit.cli.watching import alerts, dashboard
from mmgit.edits import services
from mmgit.edits.change import Change
from mmgit.edits.references import environment_of, manifest_in_words, model_of, newest, service_of
from mmgit.errors import UsageError
from mmgit.frozen import replace
from mmgit.repository import layout
from mmgit.repository.source import DeclaredEnvironment, DeclaredService, Source
from mmgit.spec.service import Key, ServiceSpec

_COLUMNS = ("service", "environment", "group", "runs", "next", "scale", "keys")
_ENVIRONMENT = click.option("--env", "environment", metavar="ENV", help="Its environment; needed if there are several.")


@click.group(cls=Grouped)
def service() -> None:
    """Create, update, list, show, delete and call services."""


for command in (keys, run, usage, logs, dashboard, alerts):
    service.add_command(command)


@service.command()
@click.argument("name")
@_ENVIRONMENT
@click.option("--group", default=layout.DEFAULT_GROUP, show_default=True, help="The team or product it belongs to.")
@click.option("--model", metavar="MODEL", help="Run the newest manifest of this model (the one called NAME).")
@click.option("--model-file", "model_files", multiple=True, metavar="PATH|URI", help="Register this first; repeatable.")
@registration_options
@service_options
@key_file_option
@unverified_option
def create(name: str, environment: str | None, group: str, *, key_file: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Declare service NAME, with a key that is shown once.

    It runs --manifest, or the newest manifest of the model. With --model-file (and -f, -p, …) the model is registered
    and its manifest frozen first: one command from a model file to a service.

    An image that is built already is pinned when the registry of the environment gives it. What it lacks is pushed.
    """
    is_unverified: bool = given.pop("is_unverified")
    with editing(f"{layout.MODELS}/", f"{layout.ENVIRONMENTS}/") as session:
        chosen = only_environment(session.source, name, environment)
        registration, to_run, words = _to_run(session, given["model"] or name, given)
        with _key(session, chosen, key_file) as key:
            wanted = services.NewService(chosen, name, {**to_run, **options_of(given)}, group, key)
            change = _with_words(services.create(session.source, wanted), words)
            if registration is None:
                there = environment_of(session.source, chosen)
                prefix = registry_of(there.spec)
                (unasked if is_unverified else bring)(session.source, services.pins(to_run), prefix)
                is_absent = is_unverified and prefix is not None
                session.deliver(change, _then(there, name, to_run, is_absent=is_absent))
                return
            session.deliver(registration.and_then(change))
        _release(session, chosen, name, {**registration.files, **registration.copies, **change.files})


@service.command()
@click.argument("name")
@_ENVIRONMENT
@service_options
@click.option("--handed-over", is_flag=True, help="The autoscaler has taken over from the fixed replicas.")
@unverified_option
def update(name: str, environment: str | None, *, handed_over: bool, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Change the named options of service NAME, nothing else. The URL and the keys stay.

    On Kubernetes, autoscaling in place of several replicas begins with a handover, which a later change ends.

    An image that is built already is pinned when the registry of the environment gives it. What it lacks is pushed.
    """
    is_unverified: bool = given.pop("is_unverified")
    with editing(f"{layout.MODELS}/", f"{layout.ENVIRONMENTS}/") as session:
        chosen = only_environment(session.source, name, environment)
        if given["image"] and not given["manifest"]:
            raise UsageError("--image says which image of --manifest", "--manifest NAME/NUMBER --image DIGEST")
        to_run = services.to_run(session.source, given["manifest"], given["image"]) if given["manifest"] else {}
        options = {**to_run, **options_of(given)}
        if handed_over:
            ended = services.handed_over(session.source, environment=chosen, name=name)
            options["autoscale"] = {**ended, **(options.get("autoscale") or {})}
        if not options:
            hint = f"mmgit service update {name} --env {chosen} --manifest NAME/NUMBER"
            raise UsageError("nothing to change is named", hint)
        change = services.update(session.source, session.root, options, environment=chosen, name=name)
        words = _words(session.source, to_run)
        if change.is_empty:
            say(_with_words(change, words or "is so already").summary)
        else:
            there = environment_of(session.source, chosen)
            prefix = registry_of(there.spec)
            (unasked if is_unverified else bring)(session.source, services.pins(to_run), prefix)
            session.deliver(_with_words(change, words), _then(there, name, to_run))


@service.command()
@click.argument("name")
@_ENVIRONMENT
def delete(name: str, environment: str | None) -> None:
    """Remove service NAME from an environment; git keeps its file's history."""
    with editing(f"{layout.ENVIRONMENTS}/") as session:
        chosen = only_environment(session.source, name, environment)
        session.deliver(services.delete(session.source, environment=chosen, name=name), "mmgit compile")


@service.command("list")
@_ENVIRONMENT
@click.option("--group", help="Only services of this group.")
@output_option
def list_(environment: str | None, group: str | None, form: Form) -> None:
    """List services, and what they run."""
    source = loaded(find_root(), f"{layout.ENVIRONMENTS}/{environment or ''}")
    environments = [environment_of(source, environment)] if environment else source.environments.values()
    rows = [
        _row(source, each.name, declared)
        for each in environments
        for declared in each.services
        if group in (None, declared.group)
    ]
    print_rows(rows, _COLUMNS, form)


@service.command()
@click.argument("name")
@_ENVIRONMENT
@output_option
def show(name: str, environment: str | None, form: Form) -> None:
    """Show service NAME: what is declared, what it runs, and its address."""
    source = loaded(find_root(), f"{layout.ENVIRONMENTS}/")
    chosen = only_environment(source, name, environment)
    declared = service_of(source, chosen, name)
    spec = declared.spec.plain(only_given=True, without_head=True)
    about = {"service": name, "environment": chosen, "group": declared.group, "file": declared.path}
    address = address_of(environment_of(source, chosen).spec, name, declared.spec)
    print_one({**about, "url": address.url, "runs": _runs(source, declared.spec.manifest), **spec}, form)


def _to_run(session: Session, model: str, given: Mapping[str, Any]) -> tuple[Change | None, services.Options, str]:
    """The registration that comes first, if any, and the options that say what the service runs, also in words."""
    if given["model_files"]:
        result = registered(session.source, session.root, wanted_of(model, given["model_files"], given))
        if result.manifest is None:
            hint = "-f score.py, or --runtime sklearn, onnx, xgboost or lightgbm"
            raise UsageError("a service needs a scoring script with init() and run(), or a runtime without one", hint)
        words = manifest_in_words(result.manifest.reference, result.manifest.models)
        return result.change, {"next": result.manifest.reference}, f"next {words}"
    named = given["manifest"] or newest(model_of(session.source, model).manifests, model)
    if named is None:
        raise UsageError(f"model `{model}` has no manifest yet", f"mmgit manifest create {model}")
    options = services.to_run(session.source, named, given["image"])
    return None, options, _words(session.source, options)


def _words(source: Source, to_run: services.Options) -> str:
    if to_run.get("next"):
        return f"next {_runs(source, to_run['next'])}"
    return f"runs {_runs(source, to_run['manifest'])}" if to_run else ""


def _with_words(change: Change, words: str) -> Change:
    return replace(change, summary=f"{change.summary}: {words}" if words else change.summary)


def _key(session: Session, environment: str, key_file: Path | None) -> AbstractContextManager[Key | None]:
    """The first key, where keys are asked for: `mmgit serve` needs none."""
    if environment_of(session.source, environment).spec.target == "process":
        if key_file:
            raise UsageError(f"{environment} is for `mmgit serve`, which asks for no key", "leave --key-file out")
        return nullcontext()
    return first_key(session.root, key_file)


def _release(session: Session, environment: str, name: str, paths: Collection[str]) -> None:
    """From a registered model to a committed service: build, push, pin, compile, commit."""
    from mmgit.cli.releasing import commit, released  # noqa: PLC0415 - only when a model file was given

    fresh = Session(session.root, loaded(session.root), session.writer)
    compiled, changed = released(fresh, environment, (name,))
    commit(fresh, compiled, {*paths, *changed}, f"Create service {name} in {environment}")


def _then(environment: DeclaredEnvironment, name: str, to_run: services.Options, *, is_absent: bool = False) -> str:
    """The command that makes a change come true: a build where an image is or may be missing, else only the output.

    A promotion, where the gates of the environment let pins come from another one alone.
    """
    gates = environment.spec.promotion
    if to_run.get("next") and gates:
        return f"mmgit promote {name} --from {gates.from_} --to {environment.name}   once {gates.from_} runs it"
    return f"mmgit release {name} --env {environment.name}" if to_run.get("next") or is_absent else "mmgit compile"


def _row(source: Source, environment: str, declared: DeclaredService) -> dict[str, Any]:
    spec = declared.spec
    return {
        "service": declared.name,
        "environment": environment,
        "group": declared.group,
        "runs": _runs(source, spec.manifest),
        "next": _runs(source, spec.next),
        "scale": _scale(spec),
        "keys": [key.name for key in spec.keys],
        "manifest": spec.manifest,
        "image": spec.image,
    }


def _runs(source: Source, reference: str | None) -> str | None:
    if reference is None:
        return None
    manifest = source.manifest(reference)
    return manifest_in_words(reference, manifest.spec.models) if manifest else f"manifest {reference} (not declared)"


def _scale(spec: ServiceSpec) -> str:
    """As far as the service's own file says it; its environment may have defaults."""
    if spec.autoscale:
        return f"{spec.autoscale.min} to {spec.autoscale.max}"
    return str(spec.replicas or "")
