"""All files of a portal: pages, the style, the script, API documents and reports."""

import json
from collections.abc import Iterator
from importlib import resources

from mmgit.portal import paths
from mmgit.portal.contents import Contents
from mmgit.portal.frame import MARK, SCRIPT, STYLE, Page, html_of
from mmgit.portal.pages import changes, environments, models, overview, reports, services


def site_of(contents: Contents, project: str) -> dict[str, bytes]:
    """Path -> bytes, relative to the site, sorted. `project` is what the site is called."""
    files = {page.path: html_of(page, project) for page in _pages(contents, project)}
    assets = resources.files(__package__)
    files |= {path: assets.joinpath(path).read_bytes() for path in (STYLE, SCRIPT, MARK)}
    for reference, document in contents.documents.items():
        files[paths.document(reference)] = json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"
    return dict(sorted({**files, **dict(reports.files(contents))}.items()))


def _pages(contents: Contents, project: str) -> Iterator[Page]:
    yield from overview.pages(contents, project)
    yield from environments.pages(contents)
    yield from services.pages(contents)
    yield from models.pages(contents)
    yield from changes.pages(contents)
    yield from reports.pages(contents)
