"""What a project's policy says of a model file, and what of it people should be told. Pure."""

from collections.abc import Collection, Iterable
from typing import Literal

from mmgit.formats.endings import claimed_by
from mmgit.formats.scanned import CUT_OFF, Scanned
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

    @property
    def remedy(self) -> str:
        """What to do with a file that is refused."""
        is_cut_off = not self.dangerous and all(doubt.endswith(CUT_OFF) for doubt in self.doubts)
        return "it is cut off: write or copy it again" if is_cut_off else "load it nowhere"

    def __str__(self) -> str:
        told = [
            f"loading it imports {_listed(self.dangerous)}, which may run anything" if self.dangerous else "",
            f"what loading it does cannot be told: {_listed(self.doubts)}" if self.doubts else "",
            f"loading it imports {_listed(self.unknown)}, which mmgit does not know" if self.unknown else "",
        ]
        return "; ".join(each for each in told if each)


@dataclass(frozen=True)
class Judged:
    """A verdict on a model file, the format that it is about, and what loading the file may do."""

    verdict: Literal["taken", "told", "dangerous", "refused"]
    format: Format
    risk: Risk


def judged(policies: Policies, named: Collection[Format], seen: Scanned | None) -> Judged:
    """The verdict on a file that its name and its beginning say is of formats `named`, and whose content was `seen`.

    The strictest that is said of any format counts. What is dangerous is taken only where that of the content is.
    """
    kinds = (*([seen.format] if seen else []), *named)
    said = [(policies.formats.get(kind, _UNSAID.get(kind, "allow")), kind) for kind in kinds]
    treatment, kind = max(said, key=lambda each: _STRICTER.index(each[0]))
    risk = risk_of(seen.imports, seen.doubts) if seen else Risk()
    if treatment == "refuse":
        return Judged("refused", kind, risk)
    if seen and risk.is_refused and policies.formats.get(seen.format) != "allow":
        return Judged("dangerous", seen.format, risk)
    return Judged("told" if treatment == "warn" else "taken", kind, risk)


def judged_by_record(policies: Policies, file: ModelFile, named: Collection[Format] = ()) -> Judged:
    """The same of a declared file: by what was recorded when it was registered, and by its name."""
    doubts = (file.unclear,) if file.unclear else ()
    seen = Scanned(file.format, dict.fromkeys(file.imports, 0), doubts) if file.format else None
    return judged(policies, (claimed_by(file.path), *named), seen)


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
