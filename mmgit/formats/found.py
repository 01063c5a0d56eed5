"""What a scan has found."""

from mmgit.formats.stream import Broken
from mmgit.formats.values import Name

NAMES_MAX = 500
_DOUBTS_MAX = 5


class Found:
    """Names that loading imports, each with the place of the first import, and what could not be told."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.doubts: list[str] = []
        self.has_imports = False
        """Whether anything is imported, be its name known or not."""
        self.has_distributions = False
        """Whether a distribution of scipy.stats is among it."""

    def imports(self, name: Name, at: int) -> None:
        """Note an import. Raises `Broken` for more than anybody reads."""
        self.has_imports = True
        self.names.setdefault(str(name), at)
        if len(self.names) > NAMES_MAX:
            raise Broken(f"it imports more than {NAMES_MAX} names", at)

    def doubt(self, reason: str, at: int) -> None:
        """Note that something cannot be told."""
        if len(self.doubts) < _DOUBTS_MAX:
            self.doubts.append(f"at byte {at}, {reason}")

    def take(self, other: "Found") -> None:
        """Note all that another one has."""
        self.names = {**other.names, **self.names}
        self.doubts = [*self.doubts, *other.doubts][:_DOUBTS_MAX]
