"""`mmgit service keys`: list, renew and revoke keys; hands over a new token exactly once.

A token goes to a person's terminal or into a file that only its owner may read; never into a log or into git.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from mmgit.cli.context import find_root, is_interactive
from mmgit.cli.editing import editing, loaded
from mmgit.cli.git_facts import ignored
from mmgit.cli.output import Form, output_option, print_rows
from mmgit.cli.service_options import only_environment
from mmgit.deliver import git
from mmgit.edits import services
from mmgit.edits.keys import RANDOM_BYTES, KeyName, mint
from mmgit.edits.references import service_of
from mmgit.errors import UsageError
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.spec.service import Key

key_file_option = click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the new key into this new file (0600), not to the terminal.",
)
_LATEST = "2099-12-31"
_NAMES = click.Choice(["primary", "secondary"])


@click.command()
@click.argument("name")
@click.option("--env", "environment", metavar="ENV", help="The environment; needed where there are several.")
@click.option("--regen", type=_NAMES, help="Make a new key of this name, in the place of the old one.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The last day of the new key.")
@click.option("--revoke", type=_NAMES, help="Take the key of this name away.")
@key_file_option
@output_option
def keys(  # noqa: PLR0913 - one parameter an option
    *,
    name: str,
    environment: str | None,
    regen: KeyName | None,
    expires: datetime | None,
    revoke: KeyName | None,
    key_file: Path | None,
    form: Form,
) -> None:
    """List the keys of service NAME, or renew or revoke one. The other key goes on working meanwhile."""
    if regen and revoke:
        raise UsageError("give either --regen or --revoke", "renew one, let callers move to it, then revoke the other")
    if (expires or key_file) and not regen:
        raise UsageError("--expires and --key-file belong to --regen", f"mmgit service keys {name} --regen primary")
    if regen:
        _renew(name, environment, last_day_of(expires), regen=regen, key_file=key_file)
    elif revoke:
        _revoke(name, environment, revoke)
    else:
        _list(name, environment, form)


def last_day_of(expires: datetime | None) -> str | None:
    """The date as git keeps it. Raises `UsageError` if it has passed or is not of this century."""
    if expires is None:
        return None
    day = expires.date().isoformat()
    if not datetime.now(UTC).date().isoformat() <= day <= _LATEST:
        raise UsageError(f"--expires {day}: expected a day from today to {_LATEST}", "a key is valid through it (UTC)")
    return day


@contextmanager
def new_key(root: Root, name: KeyName, expires: str | None, key_file: Path | None) -> Iterator[Key]:
    """A new key for git. Its token is handed over if the block, which writes the key, ends well; else it is gone."""
    if key_file is None and not is_interactive():
        message = "a new key is shown on a terminal only, and standard output is none"
        raise UsageError(message, "--key-file FILE   writes it into a file that only you may read")
    token, key = mint(secrets.token_bytes(RANDOM_BYTES), name, expires)
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


def _renew(name: str, environment: str | None, expires: str | None, *, regen: KeyName, key_file: Path | None) -> None:
    with editing(f"{layout.ENVIRONMENTS}/") as session:
        chosen = only_environment(session.source, name, environment)
        service_of(session.source, chosen, name)
        with new_key(session.root, regen, expires, key_file) as key:
            change = services.set_key(session.source, session.root, key, environment=chosen, name=name)
            session.deliver(change, "mmgit compile")


def _revoke(name: str, environment: str | None, key_name: KeyName) -> None:
    with editing(f"{layout.ENVIRONMENTS}/") as session:
        chosen = only_environment(session.source, name, environment)
        change = services.revoke_key(session.source, session.root, key_name, environment=chosen, name=name)
        session.deliver(change, "mmgit compile")


def _list(name: str, environment: str | None, form: Form) -> None:
    source = loaded(find_root(), f"{layout.ENVIRONMENTS}/")
    declared = service_of(source, only_environment(source, name, environment), name)
    rows = [key.plain() for key in declared.spec.keys]
    print_rows(rows, ("name", "id", "expires"), form)


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
