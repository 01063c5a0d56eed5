"""The site of the documents: made without a warning, and of nothing that lies elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    options = ("--quiet", "--fail-on-warning", "--doctree-dir", str(folder / "trees"))
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


def test_every_document_is_a_page(site: Path) -> None:
    documents = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}

    assert documents <= {path.relative_to(site) for path in site.rglob("*.html")}


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"([^\"]+)\"", page.read_text())
        assert not [each for each in loaded if re.match(r"(?:https?:)?//", each)], page


def test_links_to_what_is_no_document_lead_to_the_repository(site: Path) -> None:
    links = [link for page in site.rglob("*.html") for link in re.findall(r'href="([^"]+)"', page.read_text())]

    assert any(link.startswith("https://github.com/mmgit/mmgit/blob/main/CONTRIBUTING.md") for link in links)
    assert not [link for link in links if re.search(r"\.md(#|$)", link) and not link.startswith("https://")]
