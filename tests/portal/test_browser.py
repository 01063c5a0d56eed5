"""The portal in a real browser, from files: nothing runs that is a value, and everybody can read and use it."""

import json
import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest

from tests.npm import installed
from tests.portal.browser import Browser, browser
from tests.portal.conftest import KINDS, Portal
from tests.portal.test_site import WRITABLE
from tests.serving.conftest import KEY, Start, start, until

__all__ = ["start"]

pytestmark = pytest.mark.browser
WIDTHS, SCHEMES = (375, 1280), ("light", "dark")
ROWS = {"properties": {"rows": {}}, "required": ["rows"]}
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_AXE = """
axe.run(document, {runOnly: RULES}).then((said) => said.violations.map((each) =>
  `${each.id}: ${each.help}: ${each.nodes.slice(0, 3).map((node) => node.html).join(" ")}`))
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as tab:
        yield tab


def test_axe_finds_nothing_on_any_page_narrow_or_wide_light_or_dark(portal: Portal, chromium: Browser) -> None:
    site = portal("A remark that is long enough to be broken where the screen is narrow")
    axe = (installed(Path(__file__).parent / "axe") / "axe-core/axe.min.js").read_text()
    for path in KINDS:
        for width in WIDTHS:
            for scheme in SCHEMES:
                chromium.look(width=width, scheme=scheme)
                chromium.open((site / path).as_uri())
                assert chromium.complaints == [], path
                assert chromium.ask("document.documentElement.scrollWidth") == width, path
                chromium.ask(axe)

                assert chromium.ask(_AXE.replace("RULES", json.dumps(_RULES))) == [], (path, width, scheme)


def test_no_value_runs_and_the_policy_has_nothing_to_refuse(portal: Portal, chromium: Browser) -> None:
    site = portal(WRITABLE)
    watch = chromium.send("Page.addScriptToEvaluateOnNewDocument", source="window.pwned = () => { window.was = true };")
    chromium.look(width=1280, scheme="light")
    for path in KINDS:
        chromium.open((site / path).as_uri())

        assert chromium.ask("typeof pwned") == "function"
        assert chromium.ask("window.was") is None, path
        assert chromium.complaints == [], path
    chromium.send("Page.removeScriptToEvaluateOnNewDocument", identifier=watch["identifier"])


def test_the_policy_refuses_what_a_page_should_never_have(portal: Portal, chromium: Browser) -> None:
    site = portal()
    page = site / "index.html"
    page.write_text(page.read_text().replace("</main>", "<script>window.was = true</script></main>"))
    chromium.look(width=1280, scheme="light")
    chromium.open(page.as_uri())

    assert chromium.ask("window.was") is None
    assert "Content Security Policy" in "".join(chromium.complaints)


def test_without_a_script_everything_can_be_read_and_no_form_is_there(portal: Portal, chromium: Browser) -> None:
    site = portal()
    for path in KINDS:
        chromium.look(width=1280, scheme="light", script=False)
        chromium.open((site / path).as_uri())
        chromium.look(width=1280, scheme="light")

        assert chromium.ask("[...document.forms].every((form) => form.offsetParent === null)"), path
        assert chromium.ask("document.querySelector('main h1').offsetHeight > 0"), path
        assert chromium.ask("document.querySelectorAll('main tr, main li, main p').length > 0"), path


def test_by_keyboard_one_skips_to_the_content_and_finds_a_thing(portal: Portal, chromium: Browser) -> None:
    chromium.look(width=1280, scheme="light")
    chromium.open((portal() / "search.html").as_uri())

    chromium.press("Tab")
    assert chromium.ask("document.activeElement.textContent") == "Skip to content"
    assert chromium.ask("document.activeElement.getBoundingClientRect().left >= 0")
    chromium.press("Enter")
    chromium.press("Tab")
    assert chromium.ask("document.activeElement.id") == "filter-things"
    chromium.send("Input.insertText", text="VERSION churn/2")

    found = "[...document.querySelectorAll('#things li')].filter((each) => !each.hidden).map((each) => each.innerText)"
    assert [text.split()[0] for text in chromium.ask(found)] == ["churn/2"]
    assert chromium.ask("document.querySelector('output').textContent").startswith("1 of ")


class Case(NamedTuple):
    """Who may call, with which key, and what the form says then."""

    origin: str
    key: str
    status: str
    answer: str


def test_below_any_path_of_a_server_pages_are_found_and_their_policy_holds(portal: Portal, chromium: Browser) -> None:
    site = portal(folder="served/teams/models")
    handler = partial(SimpleHTTPRequestHandler, directory=str(site.parents[1]))
    chromium.look(width=1280, scheme="light")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        for path in KINDS:
            chromium.open(f"http://127.0.0.1:{server.server_port}/teams/models/{path}")

            assert chromium.complaints == [], path
            assert chromium.ask("getComputedStyle(document.querySelector('footer')).maxWidth") == "1152px"
            assert chromium.ask("[...document.querySelectorAll('form')].every((form) => form.offsetParent)"), path
        server.shutdown()


@pytest.mark.parametrize(
    "case",
    [
        Case("null", KEY, "Status 200 after .*, request [0-9a-f]{32}", r"\[1\]"),
        Case("null", "wrong", "Status 401 after .*", "{.*a valid key is needed.*}"),
        Case("https://other.example.com", KEY, r"No answer\..*", ""),
    ],
)
def test_the_form_scores_where_the_service_names_the_site(
    portal: Portal, chromium: Browser, start: Start, case: Case
) -> None:
    score = "def run(rows):\n    return [len(rows)]\n"
    service = start(score=score, schema=ROWS, service="churn", origins=[case.origin])
    page = portal() / "environments/production/churn.html"
    page.write_text(page.read_text().replace("https://models.example.com", f"http://127.0.0.1:{service.port}"))
    chromium.look(width=1280, scheme="light")
    chromium.open(page.as_uri())

    chromium.ask("window.said = (name) => document.querySelector(`#try-${name}`).textContent; undefined")
    chromium.ask("document.querySelector('#try-key').focus()")
    chromium.send("Input.insertText", text=case.key)
    chromium.press("Enter")

    until(lambda: chromium.ask("document.querySelector('#try button').disabled === false && said('status') !== ''"))
    assert re.fullmatch(case.status, chromium.ask("said('status')"))
    assert re.fullmatch(case.answer, chromium.ask("said('answer')"), re.DOTALL)
    assert chromium.ask("document.querySelector('#try pre').hidden") == (not case.answer)
