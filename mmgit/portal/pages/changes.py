"""What moved when: promotions, rollbacks and releases as git remembers them, and the holds that stand."""

from collections.abc import Iterator
from urllib.parse import quote

from mmgit.deliver.pins import Pinned
from mmgit.portal import paths
from mmgit.portal.contents import Change, Contents, Move
from mmgit.portal.frame import Here, Page, code, day, section, table
from mmgit.portal.html import Html, Node, el
from mmgit.repository.source import DeclaredEnvironment, DeclaredService

LIST = ("changes.html", "Changes")
_CHANGES_MAX = 500
_MOVES_MAX = 10
_SHORT = 12


def pages(contents: Contents) -> Iterator[Page]:
    """One page of all changes."""
    here, held = Here(LIST[0]), [each for each in contents.services if each[1].spec.hold]
    main = (
        el("h1", "Changes"),
        el("p", "Promotions, rollbacks and releases: every commit that moved a pin, the newest first.", class_="lead"),
        section("Holds", _holds(here, held)) if held else None,
        section("Pins", table_of(here, contents, _CHANGES_MAX)),
    )
    yield Page(*LIST, main)


def table_of(here: Here, contents: Contents, most: int) -> Node:
    """The newest changes."""
    if not contents.changes:
        return el("p", "No commit has moved a pin yet.")
    rows = (
        (
            day(change.pin.time),
            _moves(here, contents, change),
            change.pin.subject,
            change.pin.author,
            _commit(contents, change.pin),
        )
        for change in contents.changes[:most]
    )
    more = len(contents.changes) - most
    shown = table("Changes of pins", ("When", "What", "Why", "By", "Commit"), rows)
    return [shown, el("p", f"And {more:,} older ones; each service shows all of its own.") if more > 0 else None]


def of_service(here: Here, contents: Contents, service: DeclaredService) -> Node:
    """All that one service ran."""
    pins = contents.pins.get(service.path, ())
    if not pins:
        return el("p", "Nothing that git knows of.")
    rows = (
        (
            day(pin.time),
            paths.to_manifest(here, contents.source, pin.manifest) or "nothing",
            code(pin.image.removeprefix("sha256:")[:_SHORT]) if pin.image else None,
            pin.subject,
            pin.author,
            _commit(contents, pin),
        )
        for pin in pins
    )
    return table("What it ran", ("Since", "Manifest", "Image", "Why", "By", "Commit"), rows)


def _moves(here: Here, contents: Contents, change: Change) -> Node:
    shown = [el("li", _move(here, contents, move)) for move in change.moves[:_MOVES_MAX]]
    more = len(change.moves) - _MOVES_MAX
    return el("ul", *shown, el("li", f"and {more:,} more") if more > 0 else None, class_="plain")


def _move(here: Here, contents: Contents, move: Move) -> Node:
    environment, service = contents.by_path[move.path]
    link = paths.to_service(here, environment, service, f"{service.name} in {environment.name}")
    if move.before == move.after:
        return [link, f": {move.after}, another image"]
    return [link, f": {move.before or 'nothing'} → {move.after or 'nothing'}"]


def _holds(here: Here, held: list[tuple[DeclaredEnvironment, DeclaredService]]) -> Html:
    rows = (
        (
            paths.to_service(here, environment, service, f"{service.name} in {environment.name}"),
            service.spec.manifest,
            service.spec.hold.reason,
            day(service.spec.hold.until) if service.spec.hold.until else "for good",
        )
        for environment, service in held
        if service.spec.hold
    )
    return table("Holds", ("Service", "Stays at", "Why", "Until"), rows)


def _commit(contents: Contents, pin: Pinned) -> Html:
    """Its short id; a link where the forge is known."""
    forge = contents.source.project.spec.forge
    shown = el("code", pin.commit[:_SHORT])
    if forge is None:
        return shown
    where = forge.clone_url.removesuffix(".git")
    return el("a", shown, href=f"{where}/commit/{quote(pin.commit, safe='')}", rel="noreferrer")
