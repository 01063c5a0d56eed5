"""`mmgit promote` and `mmgit rollback`: pins move between environments, and back."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from mmgit.cli.bringing import bring, unasked, unverified_option
from mmgit.cli.carrying_out import carry_out
from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.predicted import predictions_option
from mmgit.cli.releasing import registry_of
from mmgit.cli.remote_options import remotely
from mmgit.cli.service_options import only_environment
from mmgit.edits import promote as edits
from mmgit.edits.change import Change
from mmgit.edits.references import service_of
from mmgit.errors import GitError, UsageError
from mmgit.incremental.selected import Part
from mmgit.repository import layout
from mmgit.repository.files import Files
from mmgit.repository.source import DeclaredService, Source
from mmgit.spec import Refused
from mmgit.spec.service import Hold

if TYPE_CHECKING:
    from mmgit.deliver.pins import Pinned

_HOLD_DAYS = 14


@click.command()
@click.argument("services", nargs=-1, metavar="[SERVICE]…")
@click.option("--from", "origin", required=True, metavar="ENV", help="Where they run now.")
@click.option("--to", "target", required=True, metavar="ENV", help="Where they shall run the same.")
@predictions_option
@click.option("--images", "is_for_images", is_flag=True, help="Only bring the images to where --to pulls them from.")
@unverified_option
@remotely
def promote(
    services: tuple[str, ...],
    origin: str,
    target: str,
    *,
    is_for_images: bool,
    is_unverified: bool,
    **ways: Any,  # noqa: ANN401 - click's values
) -> None:
    """Copy the pins of one environment to the next, as one set, and compile.

    Without SERVICE: all that both environments declare. Scale, keys and comments stay; a pin that is held stays too.
    With --pull-request or --push it is done on the newest default branch of the remote, and nothing changes here.

    Pins move when the registry of --to gives every image by digest. What it lacks is copied there from the registry of
    --from, or from .mmgit/oci.
    """
    typed = " ".join(["mmgit promote", *services, f"--from {origin} --to {target}"])
    if is_for_images and (is_unverified or any(ways.values())):
        raise UsageError("--images moves no pin, so it goes with no other option", f"{typed} --images")
    said: list[str] = []

    def edit(source: Source, files: Files) -> Change:
        chosen = edits.promotion(source, services, origin=origin, target=target, today=_now().date().isoformat())
        said[:] = [f"{name} stays: {reason}" for name, reason in chosen.left.items()]
        change = edits.promote(source, files, chosen)
        here, there = (registry_of(source.environments[name].spec) for name in (origin, target))
        (unasked if is_unverified else bring)(source, edits.pins(source, chosen), there, here)
        return change

    if is_for_images:
        root = find_root()
        is_any = bool(edit(loaded(root, f"{layout.MODELS}/", f"{layout.ENVIRONMENTS}/"), root).files)
        outcome = f"next: {typed}" if is_any else ""
    else:
        what = f"Promote {', '.join(services) or 'all services'} from {origin} to {target}{_words(is_unverified)}"
        part = Part((origin, target), services)
        outcome = carry_out(
            edit, what, "-".join([f"mmgit/promote-{origin}-{target}", *sorted(services)]), part=part, **ways
        )
    print(*said, outcome or f"nothing to promote from {origin} to {target}", sep="\n")


@click.command()
@click.argument("service")
@click.option("--env", "environment", metavar="ENV", help="Its environment; needed if there are several.")
@click.option("--to", default="", metavar="MODEL/N|DIGEST", help="What to run: else what ran before.")
@click.option("--reason", default="", help="Why; it stands in the file, and whoever promotes is told.")
@click.option("--until", metavar="DATE", help="The last day of the hold, like 2027-02-28.  [default: in two weeks]")
@click.option("--release", "is_release", is_flag=True, help="Take the hold away: the pin may be promoted again.")
@unverified_option
@remotely
def rollback(service: str, environment: str | None, *, is_release: bool, is_unverified: bool, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Let SERVICE run what it ran before, and hold that: promotions leave it alone until the hold ends.

    The registry of ENV must still give that image by digest; if it lost it, it gets it from .mmgit/oci.
    """
    to, reason, until = (given.pop(name) for name in ("to", "reason", "until"))
    if not (reason or is_release):
        where = f" --env {environment}" if environment else ""
        raise UsageError("a rollback needs a reason", f'mmgit rollback {service}{where} --reason "…"')
    hold = _hold(reason, until or (_now() + timedelta(days=_HOLD_DAYS)).date().isoformat()) if reason else None

    def edit(source: Source, files: Files) -> Change:
        chosen = only_environment(source, service, environment)
        if hold is None:
            return edits.release_hold(source, files, environment=chosen, name=service)
        declared = service_of(source, chosen, service)
        earlier = edits.Earlier(*_earlier(declared, files, chosen, to, hold), hold)
        source = _with_manifest(source, files, declared, earlier.manifest)
        change = edits.roll_back(source, files, earlier, environment=chosen, name=service)
        prefix = registry_of(source.environments[chosen].spec)
        (unasked if is_unverified else bring)(source, [(earlier.manifest, earlier.image)], prefix)
        return change

    what = f"{'Release the hold of' if is_release else 'Roll back'} {service}"
    message = (f"{what} in {environment}" if environment else what) + _words(is_unverified and not is_release)
    head = f"mmgit/rollback-{environment or 'only'}-{service}"
    part = Part((environment,) if environment else (), (service,))
    outcome = carry_out(edit, f"{message}\n\n{reason}" if reason else message, head, part=part, **given)
    print(outcome or "it is so already")


def _hold(reason: str, until: str) -> Hold:
    try:
        return Hold(reason=reason, until=until)
    except Refused as error:
        raise UsageError(f"--until {until}: {error.details[0]['msg']}", "--until 2027-02-28") from None


def _words(is_unverified: bool) -> str:  # noqa: FBT001 - an option's value
    """What a commit and a pull request say of it, where everybody looks."""
    return ", unverified" if is_unverified else ""


def _now() -> datetime:
    return datetime.now(UTC)


def _earlier(declared: DeclaredService, files: Files, environment: str, to: str, hold: Hold) -> tuple[str, str]:
    """The manifest and image to go back to: the newest before the present one, or the one that is named.

    The present one, where it is held for this very reason already: who types it again does not go forward again.
    """
    from mmgit.deliver import git, pins  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver.committed import Committed  # noqa: PLC0415 - as above

    repository = git.find(files.path)
    if repository is None:
        raise GitError(f"{files.path} is not in a git repository: nothing says what ran before", "git init")
    spec, name = declared.spec, declared.name
    if not to and spec.manifest and spec.image and spec.hold and spec.hold.reason == hold.reason:
        return spec.manifest, spec.image
    commit = files.commit if isinstance(files, Committed) else None
    known = pins.pins_of(repository, [declared.path], commit).get(declared.path, [])
    found = [pin for pin in known if pin.manifest and pin.image and _is_meant(pin, to, spec.image)]
    if not found:
        what = f"`{to}`" if to else "anything else"
        hint = f"mmgit history {name} --env {environment}"
        raise UsageError(f"service `{name}` in {environment} never ran {what}", hint)
    return str(found[0].manifest), str(found[0].image)


def _with_manifest(source: Source, files: Files, declared: DeclaredService, reference: str) -> Source:
    """The source, or what a service and this manifest need: a part need not hold what its services do not run."""
    if source.manifest(reference) or not files.exists(layout.manifest(reference)):
        return source
    return loaded(files, services=[declared.path], whole=["/manifests/".join(reference.split("/"))])


def _is_meant(pin: "Pinned", to: str, running: str | None) -> bool:
    if not to:
        return pin.image != running
    digest = str(pin.image).removeprefix("sha256:")
    return to == pin.manifest or digest.startswith(to.removeprefix("sha256:"))
