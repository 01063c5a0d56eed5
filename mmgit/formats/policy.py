"""What a project's policy says of a model file, and what of it people should be told. Pure."""

from collections.abc import Collection, Iterable

from mmgit.formats.endings import claimed_by
from mmgit.frozen import dataclass
from mmgit.spec.model import ModelFile
from mmgit.spec.project import Format, Policies, Treatment

_UNSAID: dict[Format, Treatment] = {"pickle": "warn"}
_STRICTER: tuple[Treatment, ...] = ("allow", "warn", "refuse")
_SHOWN = 5


@dataclass(frozen=True)
class Risk:
    """What loading a file may do that is worse than its format: names that run what they are told, and doubts."""

    dangerous: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nobody should load it who does not trust its author."""
        return bool(self.dangerous or self.doubts)

    def __str__(self) -> str:
        told = [
            f"loading it imports {_listed(self.dangerous)}, which may run anything" if self.dangerous else "",
            f"what loading it does cannot be told: {_listed(self.doubts)}" if self.doubts else "",
            f"loading it imports {_listed(self.unknown)}, which mmgit does not know" if self.unknown else "",
        ]
        return "; ".join(each for each in told if each)


def kinds_of(file: ModelFile) -> tuple[Format, ...]:
    """The formats of a declared file: what its name claims, and what was seen when it was registered."""
    return (claimed_by(file.path), *((file.format,) if file.format else ()))


def treatment_of(policies: Policies, kinds: Iterable[Format]) -> tuple[Treatment, Format]:
    """The strictest that is said of any of these formats, and of which."""
    said = [(policies.formats.get(kind, _UNSAID.get(kind, "allow")), kind) for kind in kinds]
    return max(said, key=lambda each: _STRICTER.index(each[0]))


def risk_of(imports: Collection[str], doubts: Iterable[str]) -> Risk:
    """What of these a person should know."""
    if not imports:
        return Risk(doubts=tuple(doubts))
    from mmgit.formats.names import verdict_of  # noqa: PLC0415 - most models import nothing

    found: dict[str, list[str]] = {"dangerous": [], "unknown": [], "harmless": []}
    for name in imports:
        found[verdict_of(name)].append(name)
    return Risk(tuple(found["dangerous"]), tuple(found["unknown"]), tuple(doubts))


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
