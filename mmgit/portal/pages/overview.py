"""The first page, and the one that finds everything."""

from collections.abc import Iterator

from mmgit.portal import paths
from mmgit.portal.contents import Contents
from mmgit.portal.frame import Here, Page, code, day, described, filter_of, section, table
from mmgit.portal.html import Html, el
from mmgit.portal.pages import changes, reports

SEARCH = ("search.html", "Search")
_NEWEST = 5


def pages(contents: Contents, project: str) -> Iterator[Page]:
    """The first page and the search."""
    yield _overview(contents, project)
    yield _search(contents)


def _overview(contents: Contents, project: str) -> Page:
    here, source = Here("index.html"), contents.source
    images = sum(len(each.images) for model in source.models.values() for each in model.manifests.values())
    counts = (
        (len(source.models), "models", "models.html"),
        (sum(len(model.versions) for model in source.models.values()), "versions", "models.html"),
        (images, "images", "models.html"),
        (len(contents.services), "services", "services.html"),
    )
    tiles = (el("li", here.to(path, el("strong", f"{count:,}"), " ", name)) for count, name, path in counts)
    rows = (
        (
            described(here.to(paths.environment(each.name), each.name), each.spec.description),
            each.spec.target,
            len(each.services),
            sum(1 for service in each.services if service.spec.next),
            sum(1 for service in each.services if service.spec.hold),
        )
        for each in source.environments.values()
    )
    head = ("Environment", "Target", "Services", "To come", "Held")
    commit = contents.commit
    main = (
        el("h1", project),
        el("p", source.project.spec.description, class_="lead") if source.project.spec.description else None,
        el("ul", *tiles, class_="tiles"),
        section("Environments", table("Environments", head, rows)),
        section("Newest changes", changes.table_of(here, contents, _NEWEST)),
        el("p", "As of commit ", code(commit[0][:12]), " of ", day(commit[1]), ".") if commit else None,
    )
    return Page("index.html", project, main)


def _search(contents: Contents) -> Page:
    items = [el("li", link, " ", el("small", " · ".join(filter(None, about)))) for link, *about in _things(contents)]
    main = (
        el("h1", "Search"),
        el("p", "Everything that has a page.", class_="lead"),
        filter_of("things", "Words, in any order"),
        el("ul", *items, id="things", class_="things"),
    )
    return Page(*SEARCH, main)


def _things(contents: Contents) -> Iterator[tuple[Html, *tuple[str | None, ...]]]:
    here = Here(SEARCH[0])
    for environment in contents.source.environments.values():
        yield (
            here.to(paths.environment(environment.name), environment.name),
            "environment ",
            environment.spec.description,
        )
    for environment, service in contents.services:
        link = paths.to_service(here, environment, service, f"{service.name} in {environment.name}")
        yield link, "service", service.spec.manifest, service.group, service.spec.description
    for model in contents.source.models.values():
        tags = " ".join(f"{key}:{value}" for key, value in sorted(model.spec.tags.items()))
        yield here.to(paths.model(model.name), model.name), "model", model.spec.task, tags, model.spec.description
        for number, version in model.versions.items():
            reference = f"{model.name}/{number}"
            yield here.to(paths.version(reference), reference), "version", version.spec.description
        for number, manifest in model.manifests.items():
            reference = f"{model.name}/{number}"
            yield here.to(paths.manifest(reference), reference), "manifest", manifest.spec.description
    for name, report in contents.reports.items():
        yield reports.link(here, name), "report", f"{report.service} in {report.environment}"
