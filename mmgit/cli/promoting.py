"""`mmgit promote` and `mmgit rollback`: pins move between environments, and back."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from mmgit.cli.carrying_out import carry_out
from mmgit.cli.predicted import predictions_option
from mmgit.cli.progress import warn
from mmgit.cli.remote_options import remotely
from mmgit.cli.service_options import only_environment
from mmgit.edits import promote as edits
from mmgit.edits.change import Change
from mmgit.edits.references import service_of
from mmgit.errors import GitError, UsageError
from mmgit.repository.files import Files
from mmgit.repository.source import Source
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
@remotely
def promote(services: tuple[str, ...], origin: str, target: str, **ways: Any) -> None:  # noqa: ANN401 - click's values
    """Copy the pins of one environment to the next, as one set, and compile.

    Without SERVICE: all that both environments declare. Scale, keys and comments stay; a pin that is held stays too.
    With --pull-request or --push it is done on the newest default branch of the remote, and nothing changes here.
    """
    said: dict[str, str] = {}
    elsewhere: list[str] = []

    def edit(source: Source, files: Files) -> Change:
        chosen = edits.promotion(source, services, origin=origin, target=target, today=_now().date().isoformat())
        said.update(chosen.left)
        elsewhere[:] = _to_another_registry(source, chosen)
        return edits.promote(source, files, chosen)

    what = f"Promote {', '.join(services) or 'all services'} from {origin} to {target}"
    head = "-".join([f"mmgit/promote-{origin}-{target}", *sorted(services)])
    outcome = carry_out(edit, what, head, **ways)
    for name, reason in said.items():
        print(f"{name} stays: {reason}")
    print(outcome or f"nothing to promote from {origin} to {target}")
    for line in elsewhere if outcome else ():
        warn(line)


def _to_another_registry(source: Source, chosen: edits.Promotion) -> list[str]:
    """What to say where pins move to a registry that nobody has pushed these images to."""
    here, there = (source.environments[name].spec.registry for name in (chosen.origin, chosen.target))
    if there in (None, here):
        return []
    release = f"mmgit release {' '.join(chosen.services)} --env {chosen.target}"
    return [f"{chosen.target} pulls from {there}, {chosen.origin} from {here}: {release}   brings the images there"]


@click.command()
@click.argument("service")
@click.option("--env", "environment", metavar="ENV", help="Its environment; needed if there are several.")
@click.option("--to", default="", metavar="MODEL/N|DIGEST", help="What to run: else what ran before.")
@click.option("--reason", default="", help="Why; it stands in the file, and whoever promotes is told.")
@click.option("--until", metavar="DATE", help="The last day of the hold, like 2027-02-28.  [default: in two weeks]")
@click.option("--release", "is_release", is_flag=True, help="Take the hold away: the pin may be promoted again.")
@remotely
def rollback(service: str, environment: str | None, *, is_release: bool, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Let SERVICE run what it ran before, and hold that: promotions leave it alone until the hold ends."""
    to, reason, until = (given.pop(name) for name in ("to", "reason", "until"))
    if not (reason or is_release):
        raise UsageError("a rollback needs a reason", f'mmgit rollback {service} --reason "…"')
    hold = _hold(reason, until or (_now() + timedelta(days=_HOLD_DAYS)).date().isoformat()) if reason else None

    def edit(source: Source, files: Files) -> Change:
        chosen = only_environment(source, service, environment)
        if hold is None:
            return edits.release_hold(source, files, environment=chosen, name=service)
        earlier = edits.Earlier(*_earlier(source, files, chosen, service, to), hold)
        return edits.roll_back(source, files, earlier, environment=chosen, name=service)

    what = f"{'Release the hold of' if is_release else 'Roll back'} {service}"
    message = f"{what} in {environment}" if environment else what
    head = f"mmgit/rollback-{environment or 'only'}-{service}"
    print(carry_out(edit, f"{message}\n\n{reason}" if reason else message, head, **given) or "it is so already")


def _hold(reason: str, until: str) -> Hold:
    try:
        return Hold(reason=reason, until=until)
    except Refused as error:
        raise UsageError(f"--until {until}: {error.details[0]['msg']}", "--until 2027-02-28") from None


def _now() -> datetime:
    return datetime.now(UTC)


def _earlier(source: Source, files: Files, environment: str, name: str, to: str) -> tuple[str, str]:
    """The manifest and image to go back to: the newest before the present one, or the one that is named."""
    from mmgit.deliver import git, pins  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver.committed import Committed  # noqa: PLC0415 - as above

    repository = git.find(files.path)
    if repository is None:
        raise GitError(f"{files.path} is not in a git repository: nothing says what ran before", "git init")
    declared = service_of(source, environment, name)
    commit = files.commit if isinstance(files, Committed) else None
    known = pins.pins_of(repository, [declared.path], commit).get(declared.path, [])
    found = [pin for pin in known if pin.manifest and pin.image and _is_meant(pin, to, declared.spec.image)]
    if not found:
        what = f"`{to}`" if to else "anything else"
        hint = f"mmgit history {name} --env {environment}"
        raise UsageError(f"service `{name}` in {environment} never ran {what}", hint)
    return str(found[0].manifest), str(found[0].image)


def _is_meant(pin: "Pinned", to: str, running: str | None) -> bool:
    if not to:
        return pin.image != running
    digest = str(pin.image).removeprefix("sha256:")
    return to == pin.manifest or digest.startswith(to.removeprefix("sha256:"))
