"""What an edit does to the files below a root. A plain value: `deliver` writes it."""

from collections.abc import Mapping
from pathlib import Path

from mmgit.frozen import dataclass, field


@dataclass(frozen=True)
class Change:
    """Path below the root -> new bytes, or None for a file that goes; and what it comes to, in words."""

    files: Mapping[str, bytes | None]
    summary: str
    copies: Mapping[str, Path] = field(default_factory=dict)
    """Path below the root -> the file whose bytes it gets. These may be large: they are streamed."""
    uploads: Mapping[str, Path] = field(default_factory=dict)
    """URI in a store -> the file whose bytes it gets. It ends with its sha256, so present means done."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.files or self.copies or self.uploads)

    def and_then(self, other: "Change") -> "Change":
        """Both, as one."""
        return Change(
            {**self.files, **other.files},
            f"{self.summary}\n{other.summary}",
            {**self.copies, **other.copies},
            {**self.uploads, **other.uploads},
        )
