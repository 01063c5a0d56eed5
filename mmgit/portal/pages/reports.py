"""Drift reports: those that `mmgit telemetry report --report` wrote below `reports/`, each as the page that it has."""

from collections.abc import Iterator, Mapping

from mmgit.portal import paths
from mmgit.portal.contents import Contents
from mmgit.portal.frame import Here, Page, badge, day, section, table
from mmgit.portal.html import Html, Node, el, path_of
from mmgit.spec.drift import DriftSpec
from mmgit.telemetry.page import page_of

LIST = ("reports.html", "Reports")
_LEVELS = {"none": ("as before", "good"), "some": ("moved", "held"), "much": ("moved much", "bad")}


def pages(contents: Contents) -> Iterator[Page]:
    """The list of reports."""
    here = Here(LIST[0])
    none = el("p", "There is none in ", el("code", "reports/"), ".")
    shown = _table(here, contents, contents.reports) if contents.reports else none
    lead = el("p", "What services were asked and answered, and how far it moved.", class_="lead")
    yield Page(*LIST, (el("h1", "Reports"), lead, shown))


def files(contents: Contents) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each report's own page, which is one file without a script."""
    for name, report in contents.reports.items():
        path = f"reports/{name}.html"
        yield path, page_of(report, [*_above(Here(path), contents, report)])


def _above(here: Here, contents: Contents, report: DriftSpec) -> Iterator[tuple[str, str]]:
    """Where a report is listed, and the page of its service, if that is declared."""
    yield here.address(LIST[0]), LIST[1]
    if report.environment and contents.source.service(report.environment, report.service):
        where = paths.service(report.environment, report.service)
        yield here.address(where), f"{report.service} in {report.environment}"


def link(here: Here, name: str) -> Html:
    """A link to the page of the report below `reports/` that has this name."""
    return el("a", name, href=here.address(f"reports/{path_of(*name.split('/'))}.html"))


def of_service(here: Here, contents: Contents, environment: str, service: str) -> Html | None:
    """The reports about a service."""
    own = {
        name: report
        for name, report in contents.reports.items()
        if (report.environment, report.service) == (environment, service)
    }
    return section("Reports", _table(here, contents, own)) if own else None


def _table(here: Here, contents: Contents, reports: Mapping[str, DriftSpec]) -> Html:
    rows = (
        (
            link(here, name),
            f"{report.service} in {report.environment}",
            paths.to_version(here, contents.source, report.version),
            report.reference,
            _days(report),
            f"{report.total.requests:,}",
            _drift(report),
        )
        for name, report in reports.items()
    )
    header = ("Report", "Service", "Version", "Beside", "Days", "Requests", "Drift")
    return table("Reports", header, rows)


def _days(report: DriftSpec) -> Node:
    return [day(report.days[0].day), " to ", day(report.days[-1].day)] if report.days else None


def _drift(report: DriftSpec) -> Node:
    """The largest PSI, of which feature, and what that means."""
    worst = max(report.features, key=lambda feature: (feature.level != "unknown", feature.psi), default=None)
    if worst is None or worst.level not in _LEVELS:
        return "too few rows"
    return [f"{worst.psi:.2g} of {worst.name} ", badge(*_LEVELS[worst.level])]
