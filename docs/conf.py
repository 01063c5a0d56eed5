"""Makes the documentation's site of these Markdown files: `make site`."""

import posixpath
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import mmgit

ROOT = Path(__file__).parents[1]
[REPOSITORY] = re.findall(r"^forge: .*repository: ([\w/-]+)", (ROOT / "mmgit.yaml").read_text(), re.MULTILINE)
SOURCE = f"https://github.com/{REPOSITORY}/blob/main"
_LINK = re.compile(r"\]\((\.\./[^)\s]*)\)")
_BELOW = {"decisions/README": "\n```{toctree}\n:hidden:\n:glob:\n[0-9]*\n```\n"}
"""What belongs to a page for the site alone, so that the page reads well elsewhere."""

project = "mmgit"
copyright = "the mmgit authors"  # noqa: A001 - as Sphinx wants it
release = mmgit.__version__
extensions = ["myst_parser"]
myst_heading_anchors = 3
myst_enable_extensions = ["attrs_inline"]
exclude_patterns: list[str] = []
suppress_warnings = ["misc.highlighting_failure"]  # blocks of console output hold what no language does

html_theme = "furo"
html_title = "mmgit"
html_theme_options = {"source_repository": f"https://github.com/{REPOSITORY}/", "source_directory": "docs/"}
html_copy_source = False
pygments_style, pygments_dark_style = "friendly", "native"


def _links_to_source(app: Sphinx, document: str, content: list[str]) -> None:  # noqa: ARG001 - as Sphinx calls it
    """What lies beside this folder is no page of the site: a link to it leads to the repository."""

    def moved(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(document), match[1]))
        return match[0] if path.startswith("docs/") else f"]({SOURCE}/{path})"

    content[0] = _LINK.sub(moved, content[0]) + _BELOW.get(document, "")


def setup(app: Sphinx) -> dict[str, Any]:
    """As every extension of Sphinx."""
    app.connect("source-read", _links_to_source)
    return {"parallel_read_safe": True}
