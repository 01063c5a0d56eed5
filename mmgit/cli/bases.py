"""`mmgit base`: the locks of base images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mmgit.cli.carrying_out import carry_out
from mmgit.cli.context import find_root
from mmgit.cli.editing import editing, loaded
from mmgit.cli.grouped import Grouped
from mmgit.cli.remote_options import remotely
from mmgit.edits.change import Change
from mmgit.errors import UsageError
from mmgit.platforms import PLATFORMS
from mmgit.plural import counted
from mmgit.repository import layout
from mmgit.repository.files import Files
from mmgit.repository.source import Source

if TYPE_CHECKING:
    from mmgit.images.apt import BaseRequest
    from mmgit.images.upstream import ImageRequest
    from mmgit.spec import BaseSpec

BRANCH = "mmgit/bases"
"""Whence newer locks of all bases are proposed."""
_PLATFORM = click.Choice([*PLATFORMS])


@click.group(cls=Grouped)
def base() -> None:
    """Renew the locks of base images."""


@base.command()
@click.argument("name", default="default")
@click.option("--all", "is_all", is_flag=True, help="Every base that is locked, instead of NAME.")
@click.option("--suite", help="The Debian suite; one suite has one Python.  [default: as locked, else bookworm]")
@click.option("--package", "packages", multiple=True, help="A package that the base holds; replaces the list.")
@click.option("--image", help="Any image with a Python and glibc, as REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:…")
@click.option("--python", help="The path of the Python in that image, where it has several.")
@click.option(
    "--platform", "platforms", multiple=True, metavar="TEXT", type=_PLATFORM, help="Lock for this platform only."
)
@remotely
def update(name: str, *, is_all: bool, is_proposed: bool, is_pushed: bool, **wanted: Any) -> None:  # noqa: ANN401 - click's values
    """Lock base NAME to what Debian's archive has today, or to what an image is today. No image and no pin changes.

    With --image the base is any image of any registry. What was asked for is kept, so that without options a tag is
    looked up again; --suite or --package makes it one of Debian packages.
    The bases called `proxy` and `uploader` are those of compose's proxy and of what uploads telemetry, whose images are
    made and locked with them.
    With --pull-request or --push it is done on the newest default branch of the remote, and nothing changes here.
    """
    if is_all and any(wanted.values()):
        raise UsageError("--all renews each base as it is", "mmgit base update NAME …   changes one")
    if is_proposed or is_pushed:
        _update_remotely("" if is_all else name, wanted, is_proposed=is_proposed, is_pushed=is_pushed)
        return
    with editing(layout.BASES if is_all else layout.base(name)) as session:
        for each in sorted(session.source.bases) if is_all else (name,):
            resolved, change = _updated(session.source, each, wanted)
            if each in layout.OWN_IMAGES:
                session.deliver(change.and_then(_own(session.source, each, resolved)))
            else:
                session.deliver(change, *(["mmgit build"] if change.files and session.source.models else []))


def _update_remotely(name: str, wanted: Mapping[str, Any], **ways: Any) -> None:  # noqa: ANN401 - click's values
    """Lock a base, or all if there is no name, on the newest default branch of the remote."""
    said: list[str] = []

    def edit(_: Source, files: Files) -> Change:
        source = loaded(files, layout.base(name) if name else layout.BASES)
        change = Change({}, "")
        for each in [name] if name else sorted(source.bases):
            resolved, newer = _updated(source, each, wanted)
            change = change.and_then(newer)
            if each in layout.OWN_IMAGES and newer.files:
                change = change.and_then(_own(source, each, resolved))
        said[:] = [change.summary.strip()]
        return change

    message = f"Update base {name}" if name else "Update all bases"
    outcome = carry_out(edit, message, f"mmgit/base-{name}" if name else BRANCH, **ways)
    print(*said, *filter(None, [outcome]), sep="\n")


def _updated(source: Source, name: str, wanted: Mapping[str, Any]) -> tuple["BaseSpec", Change]:
    """The base as Debian's archive or a registry has it now, and the change of its lock, unless that is locked."""
    from mmgit.edits.bases import base_file  # noqa: PLC0415 - --help must not wait for it

    known = source.bases.get(name)
    resolved = _resolved(source, name, known.spec if known else None, **wanted)
    if known and known.spec == resolved:
        return resolved, Change({}, f"base {name} is up to date: {resolved.words}")
    return resolved, Change({layout.base(name): base_file(resolved)}, _summary(name, resolved))


def _resolved(source: Source, name: str, known: "BaseSpec | None", **wanted: Any) -> "BaseSpec":  # noqa: ANN401 - click's values
    """What was asked for, else what is locked, else the defaults, as it is today."""
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import mirror, workshop_of  # noqa: PLC0415 - as above

    of_packages = bool(wanted["suite"] or wanted["packages"])
    if wanted["image"] and (of_packages or name in layout.OWN_IMAGES):
        what = "Debian packages" if of_packages else f"the packages of the {name}"
        raise UsageError(f"a base is an image or made of {what}", "leave out --image, or --suite and --package")
    reference = wanted["image"] or (known.image.reference if known and known.image and not of_packages else None)
    if reference is None:
        if wanted["python"]:
            raise UsageError("--python says which Python of an image is meant", f"mmgit base update {name} --image …")
        request = _request(source, name, known, **{key: wanted[key] for key in ("suite", "packages", "platforms")})
        from mmgit.images.apt import resolve_base  # noqa: PLC0415 - as above

        with working(f"asking Debian {request.suite}"):
            return resolve_base(request, mirror())
    with working(reference) as watch:
        wished = _image_request(source, known, reference, wanted)
        return workshop_of(find_root(), watch).resolve_image(wished)


def _request(
    source: Source, name: str, known: "BaseSpec | None", *, suite: str | None, **lists: tuple[str, ...]
) -> "BaseRequest":
    from mmgit.images import proxy  # noqa: PLC0415 - --help must not wait for it
    from mmgit.images.apt import DEFAULT_PACKAGES, BaseRequest  # noqa: PLC0415 - as above

    defaults = proxy.PACKAGES if name == layout.PROXY else DEFAULT_PACKAGES
    return BaseRequest(
        suite=suite or (known.suite if known else "") or "bookworm",
        packages=lists["packages"] or (known.packages if known else ()) or defaults,
        platforms=lists["platforms"] or source.project.spec.platforms,
    )


def _image_request(
    source: Source, known: "BaseSpec | None", reference: str, wanted: Mapping[str, Any]
) -> "ImageRequest":
    from mmgit.images.upstream import ImageRequest  # noqa: PLC0415 - --help must not wait for it
    from mmgit.spec.base import IMAGE_REFERENCE  # noqa: PLC0415 - as above

    if not IMAGE_REFERENCE.admits(reference):
        raise UsageError(f"{reference!r} is not {IMAGE_REFERENCE.expected}", "name its registry, and a tag or digest")
    return ImageRequest(
        reference=reference,
        platforms=wanted["platforms"] or source.project.spec.platforms,
        python=wanted["python"] or "",
        likely=known.python.path if known and known.image and known.python else "",
    )


def _own(source: Source, name: str, resolved: "BaseSpec") -> Change:
    """The lock of an image of mmgit's own on its base."""
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above
    from mmgit.edits.locks import record_own  # noqa: PLC0415 - as above

    with working(f"building the {name}") as watch:
        return record_own(name, workshop_of(find_root(), watch).build_own(name, resolved, source))


def _summary(name: str, resolved: "BaseSpec") -> str:
    python = f"Python {resolved.python.minor}, " if resolved.python else ""
    what = ", ".join(f"{platform} {_count(found)}" for platform, found in resolved.platforms.items())
    libc = f"glibc {resolved.libc}, " if resolved.image else ""
    return f"base {name}: {resolved.words}, {python}{libc}{what}"


def _count(found: object) -> str:
    if isinstance(found, tuple):
        return counted(len(found), "package")
    return counted(len(getattr(found, "layers", ())), "layer")
