"""A small repository to edit, and a look at what a change would make of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest

from mmgit.edits.change import Change
from mmgit.errors import Problem
from mmgit.repository.files import Root
from mmgit.repository.load import load
from mmgit.repository.source import Source

HEADER = "apiVersion: mmgit.dev/v1\n"
PIN = "sha256:" + "a" * 64

COMMENTED_SERVICE = (
    "# called by the retention page\n"
    + HEADER
    + "kind: Service\n"
    + "manifest: churn/1      # tested by Ada\n"
    + f"image: {PIN}\n"
    + "autoscale: {min: 2, max: 10}   # nights are quiet\n"
    + "variables:\n  LEVEL: info  # not debug\n"
)


@dataclass(frozen=True)
class Edited:
    """A repository on disk and what it declares."""

    root: Root

    @property
    def source(self) -> Source:
        loaded = load(self.root)
        assert loaded.source is not None
        return loaded.source

    @property
    def problems(self) -> tuple[Problem, ...]:
        return load(self.root).problems

    def apply(self, change: Change) -> None:
        copied = {path: source.read_bytes() for path, source in change.copies.items()}
        for path, data in {**change.files, **copied}.items():
            if data is None:
                self.root.remove(path)
            else:
                self.root.write(path, data)

    def diff(self, path: str, change: Change) -> list[str]:
        """The lines that a change removes from and adds to a file."""
        before = (self.root.read_if_there(path) or b"").decode()
        after = (change.files[path] or b"").decode()
        lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))
        return [line for line in lines[2:] if not line.startswith("@@")]

    def text(self, path: str) -> str:
        return self.root.read(path).decode()


@pytest.fixture
def edited(repository: Callable[..., Path]) -> Callable[..., Edited]:
    """The smallest good repository, with `files` added, replaced or (None) taken away."""

    def make(files: Mapping[str, str | bytes | None] = {}) -> Edited:
        return Edited(Root(repository(files)))

    return make


@pytest.fixture
def with_service(edited: Callable[..., Edited]) -> Edited:
    """The same with a service that people wrote comments into, and a second manifest."""
    return edited(
        {
            "environments/dev/services/churn.yaml": COMMENTED_SERVICE,
            "models/churn/manifests/2/manifest.yaml": HEADER + 'kind: Manifest\npython: "3.11"\nmodels: [churn/1]\n',
            "models/churn/manifests/2/score.py": "def run(x):\n    return x + 1\n",
        }
    )
