"""A report as one HTML file: no script, no other file, nothing asked of any server. Pure.

Elements are built and then written out by the standard library, so a name or value of a client is text whatever it is.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from xml.etree.ElementTree import Element, SubElement, tostring

from mmgit.errors import visible
from mmgit.plural import counted
from mmgit.spec.drift import Bar, Day, DriftSpec, FeatureDrift

_POLICY = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
_LEVELS = {"much": "moved much", "some": "moved", "none": "as before", "unknown": "too few rows"}
_QUIET = ("none", "unknown")
_P_SHOWN_MIN = 1e-12
_DAY_WIDTH, _DAY_HEIGHT, _GAP = 12, 100, 2


def page_of(report: DriftSpec, above: Sequence[tuple[str, str]] = ()) -> bytes:
    """The page; in a site, with links to the pages `above` it, address and title of each."""
    style = resources.files("mmgit.telemetry").joinpath("report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = Element("html", lang="en")
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY.format(digest)})
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _add(head, "title", f"{report.version} in {report.service}")
    _add(head, "style", style)
    body = SubElement(page, "body")
    if above:
        nav = SubElement(body, "nav", {"aria-label": "Above"})
        for address, title in above:
            _add(nav, "a", title).set("href", address)
    main = SubElement(body, "main")
    _head(main, report)
    _days(main, report.days)
    _features(main, report)
    written: bytes = tostring(page, encoding="utf-8", method="html")
    return b"<!doctype html>\n" + written + b"\n"


def _head(main: Element, report: DriftSpec) -> None:
    _add(main, "h1", f"{report.version} in {report.service}")
    where = f"{report.environment}, " if report.environment else ""
    days = f"{report.days[0].day} to {report.days[-1].day}" if report.days else "no day"
    _add(main, "p", f"{where}{days}, beside {report.reference}", "quiet")
    tiles = SubElement(main, "dl", {"class": "tiles"})
    total = report.total
    worst = report.features[0] if report.features and report.psi is not None else None
    facts = {
        "Requests": f"{total.requests:,}",
        "Half within": _milliseconds(total.p50_ms),
        "95 % within": _milliseconds(total.p95_ms),
        "99 % within": _milliseconds(total.p99_ms),
        "Failed": _share(total.failed, total.requests),
        "Refused": _share(total.refused, total.requests),
        f"Largest PSI{f': {worst.name}' if worst else ''}": f"{worst.psi:.3g}" if worst else "unknown",
    }
    for name, value in facts.items():
        tile = SubElement(tiles, "div")
        _add(tile, "dt", name)
        _add(tile, "dd", value)


def _days(main: Element, days: Sequence[Day]) -> None:
    if len(days) > 1:
        _add(main, "h2", "Requests by day")
        most = max(day.requests for day in days)
        view = f"0 0 {len(days) * _DAY_WIDTH} {_DAY_HEIGHT}"
        said = f"from {days[0].day} to {days[-1].day}, at most {most:,} a day"
        holder = SubElement(main, "div", {"class": "days"})
        plot = SubElement(holder, "svg", viewBox=view, role="img", preserveAspectRatio="none")
        plot.set("aria-label", f"Requests by day, {said}")
        for at, day in enumerate(days):
            column = SubElement(plot, "g")
            _add(column, "title", f"{day.day}: {counted(day.requests, 'request')}, {day.failed:,} failed")
            for name, many in (("current", day.requests), ("bad", day.failed)):
                height = _DAY_HEIGHT * many / most if most else 0.0
                _rectangle(column, name, at * _DAY_WIDTH, _DAY_HEIGHT - height, _DAY_WIDTH - _GAP, height)
        _add(main, "p", f"{days[0].day} to {days[-1].day}; the highest has {most:,}; red ones failed", "key")
    more = SubElement(main, "details")
    _add(more, "summary", "Each day in numbers")
    table = SubElement(more, "table")
    _row(SubElement(table, "thead"), "th", "", "requests", "refused", "failed", "50 %", "95 %", "99 %")
    body = SubElement(table, "tbody")
    for day in days:
        latencies = [_milliseconds(value) for value in (day.p50_ms, day.p95_ms, day.p99_ms)]
        _row(body, "td", day.day, f"{day.requests:,}", f"{day.refused:,}", f"{day.failed:,}", *latencies)


def _features(main: Element, report: DriftSpec) -> None:
    _add(main, "h2", "What was asked and answered")
    moved = [each for each in report.features if each.level not in _QUIET]
    still = [each for each in report.features if each.level in _QUIET]
    _add(main, "p", f"{len(moved)} of {len(report.features)} features moved; {counted(report.rows, 'row')} beside "
         f"{report.reference_rows:,} of the reference.")  # fmt: skip
    key = SubElement(main, "p", {"class": "key"})
    for name, text in (("reference", report.reference), ("current", f"{report.version} now")):
        _rectangle(SubElement(key, "svg", {"viewBox": "0 0 1 1", "aria-hidden": "true"}), name, 0, 0, 1, 1)
        SubElement(key, "span").text = visible(text)
    _cards(main, moved)
    if still:
        rest = SubElement(main, "details") if moved else main
        if moved:
            _add(rest, "summary", f"{len(still)} that did not move, or have too few rows to say so")
        _cards(rest, still)
    notes = {
        "Only in the reference": report.only_reference,
        "Only in what was recorded": report.only_current,
        "Not compared, as nearly every value is another one": report.free_text,
    }
    for title, names in notes.items():
        if names:
            _add(main, "p", f"{title}: {', '.join(names)}", "quiet")
    _add(main, "footer", "PSI of 0.1 and more: moved; 0.25 and more: moved much. Latencies are within 5 %.")


def _cards(parent: Element, features: Sequence[FeatureDrift]) -> None:
    cards = SubElement(parent, "div", {"class": "cards"})
    for feature in features:
        card = SubElement(cards, "section", {"class": "card"})
        head = SubElement(card, "header")
        _add(head, "h3", feature.name)
        _add(head, "span", _LEVELS[feature.level], f"level {feature.level}")
        _add(head, "span", feature.side.removesuffix("s"), "quiet")
        _add(card, "p", _tests(feature), "tests")
        table = SubElement(card, "table")
        top = SubElement(SubElement(table, "thead"), "tr")
        for name in ("value", "", "reference", "now"):
            _add(top, "th", name)
        body = SubElement(table, "tbody")
        sides = (max(feature.reference_rows, 1), max(feature.current_rows, 1))
        most = max((share for bar in feature.bars for share in _shares(bar, sides)), default=1.0) or 1.0
        for bar in feature.bars:
            _bar(body, bar, _shares(bar, sides), most)


def _bar(body: Element, bar: Bar, shares: tuple[float, float], most: float) -> None:
    row = SubElement(body, "tr")
    _add(row, "th", bar.label).set("scope", "row")
    cell = SubElement(row, "td", {"class": "bars"})
    plot = SubElement(cell, "svg", {"viewBox": "0 0 100 12", "preserveAspectRatio": "none", "aria-hidden": "true"})
    for at, (name, share) in enumerate(zip(("reference", "current"), shares, strict=True)):
        _rectangle(plot, name, 0, 6 * at + 0.5, 100 * share / most, 5)
    for share in shares:
        _add(row, "td", f"{100 * share:.1f} %")


def _shares(bar: Bar, sides: tuple[int, int]) -> tuple[float, float]:
    return bar.reference / sides[0], bar.current / sides[1]


def _tests(feature: FeatureDrift) -> str:
    said = [f"PSI {feature.psi:.3g}"]
    if feature.ks is not None:
        said.append(f"Kolmogorov–Smirnov {feature.ks:.3g} ({_likely(feature.ks_p)})")
    if feature.chi_squared is not None:
        said.append(f"χ² {feature.chi_squared:.4g} ({_likely(feature.chi_squared_p)})")
    return " · ".join(said)


def _likely(p: float | None) -> str:
    return f"p {p:.2g}" if p and p >= _P_SHOWN_MIN else f"p < {_P_SHOWN_MIN:g}"


def _rectangle(parent: Element, name: str, *box: float) -> None:
    sizes = {side: f"{value:.4g}" for side, value in zip(("x", "y", "width", "height"), box, strict=True)}
    SubElement(parent, "rect", {"class": name, **sizes})


def _row(parent: Element, cell: str, *texts: str) -> None:
    row = SubElement(parent, "tr")
    for at, text in enumerate(texts):
        _add(row, cell if at else "th", text)


def _add(parent: Element, tag: str, text: str, name: str = "") -> Element:
    element = SubElement(parent, tag, {"class": name} if name else {})
    element.text = text if tag == "style" else visible(text)
    return element


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3g} ms" if value < 1000 else f"{value / 1000:,.3g} s"  # noqa: PLR2004 - a second


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2g} %" if whole else "–"
