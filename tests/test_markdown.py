"""What values become, read back with a real Markdown parser; forges add to it what they find in the rendered text."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mmgit.errors import visible
from mmgit.markdown import LIMIT_CHARACTERS, code, fenced, table, text, truncated

Test = Callable[[str], None]
RENDER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# What GitHub and Gitea turn into links wherever it stands in rendered text outside of code, and when parsing.
FOUND_LATER = re.compile(r"(?<!\w)@[A-Za-z0-9]|(?<!\w)[\w./-]*[#!]\d|[A-Z]+-\d|https?://|\w@\w+\.\w|:\w+:")
LINKED_WHEN_PARSED = re.compile(r"www\.|https?://|ftp://|mailto:|[\w.+-]+@[\w-]+\.\w")
HOSTILE = [
    "@team please",
    "mail@example.com",
    "ada/iris#12 GH-12 !3 JIRA-123 ada/iris@0123456",
    "https://evil.test www.evil.test <https://evil.test>",
    "[a](https://evil.test) ![b](https://evil.test/x.png) [c]: https://evil.test",
    "<img src=x onerror=alert(1)> <!-- --> </details></summary></code></td> &lt; &#64;team",
    "a | b \\| c \\\\| d `|` `\\|` |",
    "` `` ``` ```` ~~~",
    "# head", "- item", "1. item", "1) item", "> quote", "---", "===", "    indented", "* * *", "+ x", "~~struck~~",
    "**bold** _em_ __strong__ $x^2$ :tada: [x] \\",
    "a\nb\r\nc\n\n<b>\n```\n@team",
    "/approve",
    "\u202e\u2066 \x1b[31m \x00 \u200b",
    " both sides ", "`@team`", "``` @team", "</code>@team", "`</code>@team`", " `", "",
]  # fmt: skip
VALUES = st.one_of(st.sampled_from(HOSTILE), st.text(alphabet="ab1 @#!:/.|`\\<>&[]()*_~-+=\n\"'wh{}$^", max_size=30))


class Seen(HTMLParser):
    """The tags of a page, and its text inside and outside of code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = self.plain = ""
        self._code = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(" ".join([tag, *(name for name, _ in attrs)]))
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_comment(self, data: str) -> None:
        self.tags.append(f"comment {data}")

    def handle_data(self, data: str) -> None:
        self.text += data
        self.plain += "" if self._code else data


def seen(markdown: str) -> Seen:
    return Seen(RENDER.render(markdown))


def without_breaks(shown: str) -> str:
    return shown.strip("\n").replace("\N{ZERO WIDTH SPACE}", "")


def every_hostile_value(test: Test) -> Test:
    for value in HOSTILE:
        test = example(value)(test)
    return test


@every_hostile_value
@given(VALUES)
def test_text_is_shown_as_it_is_and_nothing_more(value: str) -> None:
    written = text(value)

    page = seen(written)
    assert set(page.tags) <= {"p"}
    assert without_breaks(page.text) == visible(value).strip(" ")
    assert not FOUND_LATER.search(page.text)
    assert not LINKED_WHEN_PARSED.search(written)


@every_hostile_value
@given(VALUES)
def test_code_is_shown_as_it_is_and_as_code(value: str) -> None:
    written = code(value)

    page = seen(f"x {written} y")
    assert page.tags == ["p", "code"]
    assert page.plain == "x  y\n"
    assert page.text == f"x {visible(value)} y\n"
    assert not LINKED_WHEN_PARSED.search(written)


@every_hostile_value
@given(VALUES)
def test_a_line_that_begins_with_a_value_stays_a_line(value: str) -> None:
    for written in (text(value), code(value)):
        page = seen(f"before\n\n{written}\nafter")

        assert [tag for tag in page.tags if tag != "code"] == ["p", "p"]


@every_hostile_value
@given(VALUES)
def test_a_cell_stays_a_cell(value: str) -> None:
    page = seen(table(["a", "b"], [[text(value), code(value)], ["next", "row"]]))

    assert page.tags.count("td") == 4
    assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert visible(value) in page.text


@every_hostile_value
@given(VALUES)
def test_a_value_inside_html_is_text_there(value: str) -> None:
    page = seen(f"<summary>{text(value)}</summary>")
    other = seen(f"<summary>{code(value)}</summary>")

    assert page.tags == ["summary"]
    assert set(other.tags) <= {"summary", "code"}
    assert not FOUND_LATER.search(page.plain + other.plain.replace("`", " "))


@every_hostile_value
@given(VALUES)
def test_a_fence_holds_all_lines(value: str) -> None:
    page = seen(f"before\n\n{fenced(value, 'diff')}\n\nafter")

    assert page.tags == ["p", "pre", "code class", "p"]
    lines = [visible(line) for line in value.split("\n")]
    assert page.text.split("\n") == ["before", *lines, "", "after", ""]


def test_plain_values_stay_readable() -> None:
    assert code("environments/prod/iris_v2.yaml") == "`environments/prod/iris_v2.yaml`"
    assert code("a|b") == "<code>a&#x7c;b</code>"
    assert text("from 1 to 2, as said") == "from 1 to 2, as said"
    assert fenced("\tx") == "```\n    x\n```"


def test_a_text_that_fits_is_not_cut() -> None:
    assert truncated("a" * LIMIT_CHARACTERS) == "a" * LIMIT_CHARACTERS


@pytest.mark.parametrize("limit", [200, 300, 555, 1000, 2000])
def test_what_is_cut_ends_at_a_line_and_is_closed(limit: int) -> None:
    lines = fenced("line 1\n```\nline 2", "diff")
    whole = "begin\n" + f"<details><summary>x</summary>\n\n{lines}\n\n</details>\n" * 100

    cut = truncated(whole, limit)

    page = seen(cut)
    body = cut.partition("\n\n*Cut here")[0]
    assert len(cut) <= limit
    assert limit - len(cut) < 200
    assert page.text.rstrip().endswith(f"the whole text has {len(whole)} characters, and a comment may have {limit}.")
    assert cut.count("<details") == cut.count("</details>")
    assert "em" in page.tags
    assert whole.startswith(body.rstrip("\n").removesuffix("</details>").rstrip("\n").removesuffix("````").rstrip("\n"))


def test_one_line_that_is_too_long_leaves_the_note() -> None:
    cut = truncated("a" * 1000, 200)

    assert cut.strip().startswith("*Cut here")
