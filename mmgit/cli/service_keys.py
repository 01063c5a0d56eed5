"""`mmgit service keys`: list, renew, adopt and revoke keys; hands over a new token exactly once.

A token goes to a person's terminal or into a file that only its owner may read; never into a log or into git.
"""

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeAlias

import click

from mmgit.cli.context import find_root, is_interactive
from mmgit.cli.editing import editing, loaded
from mmgit.cli.git_facts import ignored
from mmgit.cli.output import Form, output_option, print_rows
from mmgit.cli.service_options import only_environment
from mmgit.deliver import git
from mmgit.edits import services
from mmgit.edits.keys import RANDOM_BYTES, Dates, KeyName, adopt, mint
from mmgit.edits.references import environment_of, service_of
from mmgit.errors import UsageError
from mmgit.frozen import replace
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.review.key_ages import concerns
from mmgit.spec.service import Key

key_file_option = click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the new key into this new file (0600), not to the terminal.",
)
_LATEST = "2099-12-31"
_COLUMNS = ("service", "environment", "name", "id", "created", "age_days", "expires")
NewKey: TypeAlias = Callable[[Root, KeyName, Dates], AbstractContextManager[Key]]
_NAMES = click.Choice(["primary", "secondary"])


@click.command()
@click.argument("name", required=False)
@click.option("--env", "environment", metavar="ENV", help="The environment; needed where there are several.")
@click.option("--regen", type=_NAMES, help="Make a new key of this name, in the place of the old one.")
@click.option("--expires", metavar="DATE|DAYS", help="The last day of the new key, like 2027-02-28, or 90d from today.")
@click.option(
    "--own",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Take the key in this file, which callers have already, in place of a random one.",
)
@click.option("--revoke", type=_NAMES, help="Take the key of this name away.")
@key_file_option
@output_option
def keys(  # noqa: PLR0913 - one parameter an option
    *,
    name: str | None,
    environment: str | None,
    regen: KeyName | None,
    expires: str | None,
    own: Path | None,
    revoke: KeyName | None,
    key_file: Path | None,
    form: Form,
) -> None:
    """List the keys of service NAME, or of all; renew or revoke one. The other key goes on working meanwhile.

    Servers take a change up without a restart: within two minutes in Kubernetes, two seconds elsewhere.
    """
    if regen and revoke:
        raise UsageError("give either --regen or --revoke", "renew one, let callers move to it, then revoke the other")
    if (expires or key_file or own) and not regen:
        hint = f"mmgit service keys {name or 'NAME'} --regen primary"
        raise UsageError("--expires, --key-file and --own belong to --regen", hint)
    if own and key_file:
        raise UsageError("--own is a key that you have, so none is written", f"--own {own}")
    if (regen or revoke) and not name:
        raise UsageError("whose key is meant?", f"mmgit service keys NAME --{'regen' if regen else 'revoke'} …")
    if name and regen:
        source = _given(own) if own else partial(new_key, key_file=key_file)
        _renew(name, environment, Dates(_today().isoformat(), last_day_of(expires, _today())), regen, source)
    elif name and revoke:
        _revoke(name, environment, revoke)
    else:
        _list(name, environment, form)


def last_day_of(expires: str | None, today: date) -> str | None:
    """The day as git keeps it. Raises `UsageError` if it has passed or is not of this century."""
    if expires is None:
        return None
    try:
        is_span = expires.endswith("d") and expires[:-1].isdecimal()
        last = today + timedelta(days=int(expires[:-1])) if is_span else date.fromisoformat(expires)
    except (ValueError, OverflowError):
        raise UsageError(f"--expires {expires}: neither a day nor a number of days", "2027-02-28, or 90d") from None
    if not today.isoformat() <= last.isoformat() <= _LATEST:
        raise UsageError(
            f"--expires {expires}: expected a day from today to {_LATEST}", "a key is valid through it (UTC)"
        )
    return last.isoformat()


@contextmanager
def new_key(root: Root, name: KeyName, dates: Dates, *, key_file: Path | None) -> Iterator[Key]:
    """A new key for git. Its token is handed over if the block, which writes the key, ends well; else it is gone."""
    if key_file is None and not is_interactive():
        message = "a new key is shown on a terminal only, and standard output is none"
        raise UsageError(message, "--key-file FILE   writes it into a file that only you may read")
    token, key = mint(secrets.token_bytes(RANDOM_BYTES), name, dates)
    if key_file is None:
        yield key
        print(f"{name} key, shown this once:\n  {token}")
        return
    _write(_outside_git(root, key_file), token)
    try:
        yield key
    except BaseException:
        key_file.unlink()
        raise
    print(f"{name} key: in {key_file}, nowhere else")


def first_key(root: Root, key_file: Path | None) -> AbstractContextManager[Key]:
    """The key that a service begins with."""
    return new_key(root, "primary", Dates(_today().isoformat()), key_file=key_file)


def _given(own: Path) -> NewKey:
    """A key that somebody chose, without a word about it."""

    def key(root: Root, name: KeyName, dates: Dates) -> AbstractContextManager[Key]:
        token = _outside_git(root, own).read_text(encoding="utf-8", errors="replace").strip()
        return nullcontext(adopt(token, secrets.token_bytes(RANDOM_BYTES), name, dates))

    return key


def _renew(name: str, environment: str | None, dates: Dates, regen: KeyName, make: NewKey) -> None:
    with editing(f"{layout.ENVIRONMENTS}/") as session:
        chosen = only_environment(session.source, name, environment)
        service_of(session.source, chosen, name)
        with make(session.root, regen, dates) as key:
            change = services.set_key(session.source, session.root, key, environment=chosen, name=name)
            until = f", through {dates.expires}" if dates.expires else ""
            session.deliver(replace(change, summary=f"{change.summary}: new {regen} key{until}"), "mmgit compile")


def _revoke(name: str, environment: str | None, key_name: KeyName) -> None:
    with editing(f"{layout.ENVIRONMENTS}/") as session:
        chosen = only_environment(session.source, name, environment)
        change = services.revoke_key(session.source, session.root, key_name, environment=chosen, name=name)
        session.deliver(replace(change, summary=f"{change.summary}: {key_name} key revoked"), "mmgit compile")


def _list(name: str | None, environment: str | None, form: Form) -> None:
    """The keys with their age, and what is to be done about it."""
    source, today = loaded(find_root(), f"{layout.ENVIRONMENTS}/"), _today()
    if name:
        chosen = only_environment(source, name, environment)
        found = [(environment_of(source, chosen), service_of(source, chosen, name))]
    else:
        places = [environment_of(source, environment)] if environment else source.environments.values()
        found = [(place, service) for place in places for service in place.services]
    rows, warnings = [], []
    for place, service in found:
        for key in service.spec.keys:
            age = (today - date.fromisoformat(key.created)).days if key.created else None
            rows.append({"service": service.name, "environment": place.name, **key.plain(), "age_days": age})
            if said := concerns(key, place.spec.promotion.key_age if place.spec.promotion else None, today):
                again = f"mmgit service keys {service.name} --env {place.name} --regen {key.name}"
                warnings.append(f"warning: {service.name} in {place.name}: {said}: {again}")
    print_rows(rows, ("name", "id", "created", "age_days", "expires") if name else _COLUMNS, form)
    for warning in warnings:
        print(warning, file=sys.stderr)


def _today() -> date:
    return datetime.now(UTC).date()


def _outside_git(root: Root, path: Path) -> Path:
    """`path` if git can never take it up: outside the repository, or ignored. Raises `UsageError`."""
    place = path.parent.resolve() / path.name
    repository = git.find(root.path)
    top = repository.top.resolve() if repository else root.path
    if place.is_relative_to(top):
        inside = os.path.relpath(place, root.path)
        is_safe = ignored(repository, [inside]) if repository else inside.startswith(f"{layout.STATE}/")
        if not is_safe:
            raise UsageError(
                f"{path} lies in the repository, where git would take it up", f"--key-file {layout.STATE}/{path.name}"
            )
    return place


def _write(path: Path, token: str) -> None:
    """Write a new file that only its owner may read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}", "--key-file names a new file in a folder that is there"
        ) from error
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{token}\n")
