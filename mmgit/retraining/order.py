"""One training that was asked for: everything that it is made of, and what is wrong with that before it begins."""

from collections.abc import Callable
from pathlib import Path
from typing import IO

from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.spec.training import TrainingSpec


@dataclass(frozen=True)
class Order:
    """A training of `model`. `open_uri` opens what an https address names."""

    root: Root
    model: str
    training: TrainingSpec
    python: str
    lock: bytes
    """The bytes of `pylock.toml`."""
    telemetry: Path | None
    open_uri: Callable[[str], IO[bytes]]
    commit: str = ""
    """What it is of; empty if it is of none."""

    @property
    def folder(self) -> str:
        """The folder of what trains, from the root."""
        return layout.training_folder(self.model)

    def refuse_missing_data(self) -> None:
        """Raise `UsageError` for a data set that nobody named, or that is not there."""
        wanted = [each for each in self.training.data if each.telemetry]
        if wanted and self.telemetry is None:
            hint = f"mmgit retrain {self.model} --telemetry FILE"
            raise UsageError(f"`{self.model}` is trained on labelled telemetry, and no file of it is named", hint)
        if self.telemetry and not wanted:
            hint = f"data: [{{telemetry: {self.telemetry.name}}}]   below training: in {layout.model(self.model)}"
            raise UsageError(f"`{self.model}` is not trained on telemetry", hint)
        for each in self.training.data:
            if each.path and self.root.kind(f"{self.folder}/{each.path}") is None:
                message = f"there is no {self.folder}/{each.path}, which `{self.model}` is trained on"
                raise UsageError(message, "git restore it, or git lfs pull")
