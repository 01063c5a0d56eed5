"""Drift reports, as `mmgit telemetry report` left them: they travel with the site, and pages link to them."""

from collections.abc import Iterable, Iterator

from mmgit.portal.contents import Contents
from mmgit.portal.frame import Here, Page, section
from mmgit.portal.html import Html, el, path_of

LIST = ("reports.html", "Reports")
FOLDER = "reports"


def pages(contents: Contents) -> Iterator[Page]:
    """The list of reports."""
    here = Here(LIST[0])
    shown = (
        _links(here, contents.reports)
        if contents.reports
        else el("p", "There is none in ", el("code", "reports/"), ".")
    )
    yield Page(
        *LIST,
        (
            el("h1", "Reports"),
            el("p", "What services received and answered, and how it drifted.", class_="lead"),
            shown,
        ),
    )


def of_service(here: Here, contents: Contents, environment: str, service: str) -> Html | None:
    """The reports whose path names a service and its environment."""
    own = [path for path in contents.reports if {environment, service} <= {*path.rpartition(".")[0].split("/")}]
    return section("Reports", _links(here, own)) if own else None


def address(path: str) -> str:
    """Where a report is in the site."""
    return f"{FOLDER}/{path_of(*path.split('/'))}"


def _links(here: Here, reports: Iterable[str]) -> Html:
    return el("ul", *(el("li", el("a", path, href=here.address(address(path)))) for path in reports))
