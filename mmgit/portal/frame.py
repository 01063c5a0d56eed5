"""What all pages share: the frame with its policy, links from one page to another, tables and facts. Pure."""

from collections.abc import Iterable, Sequence

from mmgit.frozen import dataclass
from mmgit.portal.html import Html, Node, el, is_web, markup

STYLE, SCRIPT, MARK = "assets/portal.css", "assets/portal.js", "assets/mark.svg"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src {connect}; "
    "form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
_NOTHING: tuple[Node, ...] = (None, "", [])
_PLACES = (
    ("index.html", "Overview"),
    ("services.html", "Services"),
    ("models.html", "Models"),
    ("changes.html", "Changes"),
    ("reports.html", "Reports"),
    ("search.html", "Search"),
)


@dataclass(frozen=True)
class Page:
    """One page: where it is, what it is called, the pages above it, and what stands on it."""

    path: str
    title: str
    main: tuple[Node, ...]
    above: tuple[tuple[str, str], ...] = ()
    """Path and title of each."""
    connect: str = ""
    """The one origin that its script may call."""


@dataclass(frozen=True)
class Here:
    """A page that links to others: all links are relative, so the site may lie anywhere."""

    path: str

    def to(self, path: str, *children: Node, **attributes: str) -> Html:
        """A link to a page of the site."""
        return el("a", *children, href=self.address(path), **attributes)

    def address(self, path: str) -> str:
        """Where a file of the site is, seen from here."""
        return "../" * self.path.count("/") + path


def html_of(page: Page, project: str) -> bytes:
    """The page in the frame of its site."""
    here = Here(page.path)
    policy = POLICY.format(connect=page.connect or "'none'")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", page.title if page.title == project else f"{page.title} · {project}"),
        el("link", rel="icon", href=here.address(MARK)),
        el("link", rel="stylesheet", href=here.address(STYLE)),
        el("script", src=here.address(SCRIPT), defer=True),
    )
    body = el(
        "body",
        el("a", "Skip to content", class_="skip", href="#main"),
        el("header", el("div", here.to("index.html", project, class_="brand"), _navigation(here, page))),
        el("main", _crumbs(here, page), *page.main, id="main"),
        el("footer", el("p", "Made by mmgit from what is declared in git.")),
    )
    return f"<!doctype html>\n{markup(el('html', head, body, lang='en'))}\n".encode()


def table(label: str, header: Sequence[str], rows: Iterable[Sequence[Node]], id_: str | None = None) -> Html:
    """A table whose first column names the rows, without columns that are empty; it scrolls by itself."""
    all_rows = [*rows]
    shown = [at for at in range(len(header)) if not at or any(row[at] not in _NOTHING for row in all_rows)]
    head = el("thead", el("tr", *(el("th", header[at], scope="col") for at in shown)))
    cells = ((el("th", row[0], scope="row"), *(el("td", row[at]) for at in shown[1:])) for row in all_rows)
    body = el("tbody", *(el("tr", *row) for row in cells))
    return el("div", el("table", head, body, id=id_), class_="wide", role="group", tabindex="0", aria_label=label)


def facts(pairs: Iterable[tuple[str, Node]]) -> Html:
    """Names and values; those without a value are left out."""
    shown = ((name, value) for name, value in pairs if value not in _NOTHING)
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in shown))


def section(title: str, *children: Node, id_: str | None = None) -> Html:
    """A part of a page under its heading."""
    return el("section", el("h2", title), *children, id=id_)


def listed(items: Iterable[Node]) -> list[Node]:
    """Things in a row, with commas between them."""
    found: list[Node] = []
    for item in items:
        found += [", ", item] if found else [item]
    return found


def code(text: str | None) -> Html | None:
    """A name, path or digest."""
    return el("code", text) if text else None


def web(address: str) -> Html:
    """An address that somebody wrote: a link if it leads into the web, else text."""
    if is_web(address):
        return el("a", address, href=address, rel="noreferrer")
    return el("code", address)


def day(time: str) -> Html:
    """The day of an ISO time, with the time behind it."""
    return el("time", time[:10], datetime=time)


def described(link: Html, description: str) -> Node:
    """A link, and what it leads to."""
    return [link, el("small", description) if description else None]


def badge(text: str, kind: str = "") -> Html:
    """A short remark beside a name."""
    return el("span", text, class_=f"badge {kind}".strip())


def filter_of(target: str, label: str) -> Html:
    """A field that hides what does not match; the script shows it."""
    field = el("input", type="search", id=f"filter-{target}", autocomplete="off", spellcheck="false")
    return el(
        "form",
        el("label", label, for_=f"filter-{target}"),
        field,
        el("output", for_=f"filter-{target}"),
        class_="filter",
        role="search",
        data_filter=target,
        hidden=True,
    )


def _navigation(here: Here, page: Page) -> Html:
    current = (page.path, *(path for path, _ in page.above))
    links = (
        here.to(path, title, **({"aria_current": "page" if path == page.path else "true"} if path in current else {}))
        for path, title in _PLACES
    )
    return el("nav", el("ul", *(el("li", link) for link in links)), aria_label="Site")


def _crumbs(here: Here, page: Page) -> Html | None:
    if not page.above:
        return None
    return el("nav", el("ol", *(el("li", here.to(path, title)) for path, title in page.above)), aria_label="Above")
