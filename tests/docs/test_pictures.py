"""The pictures of terminals in docs/pictures show what the commands say of this project's own declarations.

`pytest tests/docs --update-cases` draws them again; look at them.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from scripts.walk import normal

FOLDER = Path(__file__).parents[2] / "docs/pictures"
CopyOfOurs = Callable[[Path], Path]
LINE, LEFT, TOP, CHARACTER = 19, 18, 44, 7.85
"""Pixels: the height of a line, the margins, the width of a character."""
COLUMNS = 104
"""At least, so that all pictures have letters of one size."""
DIGITS = "environments/production/services/digits.yaml"
SHOWN: dict[str, tuple[str, dict[str, tuple[str, str]], tuple[str, ...]]] = {
    "check": (
        "Mistakes are said all at once, each with its place and what to do",
        {
            DIGITS: ("manifest: digits/2\n", "manifest: digits/7\nreplica: 3\n"),
            "environments/staging/services/examples/penguins.yaml": ("kind: Service\n", "kind: Service\ntimeout: 60\n"),
        },
        ("mmgit check",),
    ),
    "plan": (
        "What a change does, in words, before anybody merges it",
        {DIGITS: ("kind: Service\n", "kind: Service\nreplicas: 3\nmemory: 2Gi\n")},
        ("mmgit compile", "mmgit plan"),
    ),
}
"""Name -> what it shows, the edits before it, and the commands."""


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_shows_what_the_commands_say(
    name: str, tmp_path: Path, copy_of_ours: CopyOfOurs, request: pytest.FixtureRequest
) -> None:
    title, edits, typed = SHOWN[name]
    root = copy_of_ours(tmp_path / "ours")
    for edited, (old, new) in edits.items():
        text = (root / edited).read_text()
        assert old in text
        (root / edited).write_text(text.replace(old, new))
    lines = list(transcript(root, typed))
    path = FOLDER / f"{name}.svg"

    if request.config.getoption("--update-cases"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(drawn(title, lines))

    shown = ET.parse(path).getroot()  # noqa: S314 - our own file
    texts = ["".join(each.itertext()) for each in shown.iter("{http://www.w3.org/2000/svg}text")]
    assert [normal(text) for text in texts] == [normal(line) for line in lines if line], (
        "pytest tests/docs --update-cases"
    )


def transcript(root: Path, typed: tuple[str, ...]) -> Iterator[str]:
    for command in typed:
        yield f"$ {command}"
        arguments = [sys.executable, "-m", "mmgit", *command.split()[1:]]
        done = subprocess.run(
            arguments, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        yield from done.stdout.splitlines()


def drawn(title: str, lines: list[str]) -> str:
    """A terminal with these lines, light or dark as the reader's system is."""
    width = round(2 * LEFT + CHARACTER * max(COLUMNS, *map(len, lines)))
    height = TOP + LINE * len(lines)
    texts = "\n".join(
        f'  <text class="{kind_of(line)}" x="{LEFT}" y="{TOP + LINE * number}">{escape(line)}</text>'
        for number, line in enumerate(lines)
        if line
    )
    named = 'role="img" aria-labelledby="title desc"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {named}>
  <title id="title">{escape(title)}</title>
  <desc id="desc">A terminal: {escape(lines[0])}, and what it says</desc>
  <style>
    text {{ font: 13px ui-monospace, 'DejaVu Sans Mono', monospace; fill: #1f2328; white-space: pre }}
    rect {{ fill: #f6f8fa; stroke: #d1d9e0 }} circle {{ fill: #d1d9e0 }}
    .typed {{ font-weight: 600 }} .bad {{ fill: #b31d28 }} .hint {{ fill: #59636e }} .new {{ fill: #116329 }}
    @media (prefers-color-scheme: dark) {{
      text {{ fill: #f0f6fc }} rect {{ fill: #151b23; stroke: #3d444d }} circle {{ fill: #3d444d }}
      .bad {{ fill: #ff7b72 }} .hint {{ fill: #9198a1 }} .new {{ fill: #56d364 }}
    }}
  </style>
  <rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>
  <circle cx="20" cy="16" r="5"/><circle cx="36" cy="16" r="5"/><circle cx="52" cy="16" r="5"/>
{texts}
</svg>
"""


def kind_of(line: str) -> str:
    """What a line is, for its colour."""
    if line.startswith("$ "):
        return "typed"
    if ": error " in line:
        return "bad"
    return "hint" if line.startswith("  hint: ") else "new" if line.lstrip().startswith(("+", "~")) else "said"
