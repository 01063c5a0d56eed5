"""`mmgit base`: the locks of base images."""

from typing import TYPE_CHECKING

import click

from mmgit.cli.editing import Session, editing
from mmgit.edits.change import Change
from mmgit.repository import layout

if TYPE_CHECKING:
    from mmgit.images.apt import BaseRequest
    from mmgit.spec import BaseSpec


@click.group()
def base() -> None:
    """Renew the locks of base images."""


@base.command()
@click.argument("name", default="default")
@click.option("--suite", help="The Debian suite; one suite has one Python.  [default: as locked, else bookworm]")
@click.option("--package", "packages", multiple=True, help="A package that the base holds; replaces the list.")
@click.option("--platform", "platforms", multiple=True, help="Lock for this platform only.")
def update(name: str, suite: str | None, packages: tuple[str, ...], platforms: tuple[str, ...]) -> None:
    """Lock base NAME to what Debian's archive has today. No image and no pin changes.

    The base called `proxy` is that of compose's proxy, whose image is made and locked with it.
    """
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import mirror  # noqa: PLC0415 - as above
    from mmgit.edits.bases import base_file  # noqa: PLC0415 - as above
    from mmgit.images.apt import resolve_base  # noqa: PLC0415 - as above

    with editing(layout.base(name)) as session:
        request = _request(session, name, suite, packages=packages, platforms=platforms)
        with working(f"asking Debian {request.suite}"):
            resolved = resolve_base(request, mirror())
        known = session.source.bases.get(name)
        if known and known.spec == resolved:
            change = Change({}, f"base {name} is up to date: Debian {resolved.suite}")
        else:
            change = Change({layout.base(name): base_file(resolved)}, _summary(name, resolved))
        if name == layout.PROXY:
            session.deliver(change.and_then(_proxy(session, resolved)))
        else:
            session.deliver(change, *(["mmgit build"] if change.files and session.source.models else []))


def _request(
    session: Session, name: str, suite: str | None, *, packages: tuple[str, ...], platforms: tuple[str, ...]
) -> "BaseRequest":
    """What was asked for, else what is locked, else the defaults."""
    from mmgit.images import proxy  # noqa: PLC0415 - --help must not wait for it
    from mmgit.images.apt import DEFAULT_PACKAGES, BaseRequest  # noqa: PLC0415 - as above

    known = session.source.bases.get(name)
    defaults = proxy.PACKAGES if name == layout.PROXY else DEFAULT_PACKAGES
    return BaseRequest(
        suite=suite or (known.spec.suite if known else "bookworm"),
        packages=packages or (known.spec.packages if known else defaults),
        platforms=platforms or session.source.project.spec.platforms,
    )


def _proxy(session: Session, resolved: "BaseSpec") -> Change:
    """The lock of the proxy's image on this base."""
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above
    from mmgit.edits.locks import record_proxy  # noqa: PLC0415 - as above

    with working("building the proxy") as watch:
        return record_proxy(workshop_of(session.root, watch).build_proxy(resolved, session.source))


def _summary(name: str, resolved: "BaseSpec") -> str:
    count = ", ".join(f"{platform} {len(found)} packages" for platform, found in resolved.platforms.items())
    python = f"Python {resolved.python.minor}, " if resolved.python else ""
    return f"base {name}: Debian {resolved.suite}, {python}{count}"
