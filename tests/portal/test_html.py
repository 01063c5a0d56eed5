from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mmgit.errors import visible
from mmgit.portal.html import el, is_web, markup, path_of

HOSTILE = (
    *("</script><script>pwned()</script>", "'\"><img src=x onerror=pwned()>", "&lt;b&gt;"),
    *(
        "javascript:pwned()",
        "{{ 7 * 7 }}",
        "${pwned}",
        "<!--",
        "]]>",
        "\u202e<b>",
        "\x00",
        "a\nb",
        "\ud800",
        "</title>",
    ),
)
TEXT = st.text(st.characters())


class Reader(HTMLParser):
    """What a page says: its elements with their attributes, and all of its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))


@given(TEXT)
@example("".join(HOSTILE))
def test_a_text_is_read_back_as_it_was_and_makes_no_element(text: str) -> None:
    read = Reader(markup(el("p", el("b", text), text)))

    assert [name for name, _ in read.elements] == ["p", "b"]
    assert read.text == shown(text) * 2


@given(TEXT)
@example("".join(HOSTILE))
def test_an_attribute_is_read_back_as_it_was(text: str) -> None:
    read = Reader(markup(el("p", title=text)))

    assert read.elements == [("p", {"title": visible(text)})]


@pytest.mark.parametrize(
    "address",
    [
        "javascript:pwned()",
        " javascript:x",
        "JAVASCRIPT:x",
        "data:text/html,x",
        "//evil.example.com",
        "/\\evil",
        "a:b",
        "\n",
    ],
)
def test_no_link_leads_to_anything_but_a_page_or_the_web(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        el("a", href=address)
    assert not is_web(address)


@pytest.mark.parametrize("address", ["index.html", "../../a/b-1.html#api", "https://a.example.com/x?y=z"])
def test_links_to_pages_and_into_the_web_are_links(address: str) -> None:
    assert markup(el("a", "x", href=address)) == f'<a href="{address}">x</a>'


@pytest.mark.parametrize("attribute", ["onclick", "style", "srcdoc", "formaction"])
def test_no_attribute_runs_or_styles_anything(attribute: str) -> None:
    with pytest.raises(ValueError, match="no attribute"):
        el("a", **{attribute: "x"})


def test_a_page_has_no_script_of_its_own() -> None:
    with pytest.raises(ValueError, match="no script"):
        el("script", "pwned()")
    with pytest.raises(ValueError, match="no element"):
        el("img src=x")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_a_path_of_any_names_is_an_address(names: list[str]) -> None:
    assert markup(el("a", href=path_of(*names))).count("<") == 2
