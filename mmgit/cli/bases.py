"""`mmgit base`: the locks of base images."""

import click

from mmgit.cli.editing import editing
from mmgit.edits.change import Change
from mmgit.repository import layout


@click.group()
def base() -> None:
    """Renew the locks of base images."""


@base.command()
@click.argument("name", default="default")
@click.option("--suite", help="The Debian suite; one suite has one Python.  [default: as locked, else bookworm]")
@click.option("--package", "packages", multiple=True, help="A package that the base holds; replaces the list.")
@click.option("--platform", "platforms", multiple=True, help="Lock for this platform only.")
def update(name: str, suite: str | None, packages: tuple[str, ...], platforms: tuple[str, ...]) -> None:
    """Lock base NAME to what Debian's archive has today. No image and no pin changes."""
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import mirror  # noqa: PLC0415 - as above
    from mmgit.edits.bases import base_file  # noqa: PLC0415 - as above
    from mmgit.images.apt import DEFAULT_PACKAGES, BaseRequest, resolve_base  # noqa: PLC0415 - as above

    with editing(layout.base(name)) as session:
        known = session.source.bases.get(name)
        request = BaseRequest(
            suite=suite or (known.spec.suite if known else "bookworm"),
            packages=packages or (known.spec.packages if known else DEFAULT_PACKAGES),
            platforms=platforms or session.source.project.spec.platforms,
        )
        with working(f"asking Debian {request.suite}"):
            resolved = resolve_base(request, mirror())
        path = layout.base(name)
        if known and known.spec == resolved:
            session.deliver(Change({}, f"base {name} is up to date: Debian {resolved.suite}"))
            return
        count = {platform: len(found) for platform, found in resolved.platforms.items()}
        locked = ", ".join(f"{platform} {number} packages" for platform, number in count.items())
        summary = f"base {name}: Debian {resolved.suite}, Python {resolved.python.minor}, {locked}"
        session.deliver(Change({path: base_file(resolved)}, summary), "mmgit build")
