"""What becomes of the contract with a service's clients when its pin moves."""

from mmgit.contract import Contract, compare
from mmgit.desired import DesiredService
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.repository import layout
from mmgit.review.side import Side

_NAMED_MAX = 5


def contract_between(before: Side, after: Side, old: DesiredService | None, new: DesiredService) -> Contract | None:
    """The contract of the new manifest against that of the old one; None for a new service, or the same manifest."""
    if old is None or old.manifest == new.manifest:
        return None
    return compare(_schema(before, old), _schema(after, new))


def is_kept(contract: Contract, before: Side, old: DesiredService | None) -> bool:
    """Whether the old one's clients can go on; without any schema on either side nothing was promised to them."""
    if contract.verdict == "unknown":
        return old is None or _schema(before, old) is None
    return contract.verdict != "breaking"


def in_words(contract: Contract) -> str:
    """`breaking: input.age was optional, is required`."""
    said = [f"{each.path} {each.text}" for each in contract.differences[:_NAMED_MAX]]
    more = len(contract.differences) - len(said)
    return ": ".join(filter(None, [contract.verdict, "; ".join(said) + (f"; and {more} more" if more else "")]))


def _schema(side: Side, service: DesiredService) -> bytes | None:
    manifest = side.source.manifest(service.manifest)
    if manifest is None or manifest.spec.schema_ is None:
        return None
    return side.files.read(f"{layout.manifest_folder(service.manifest)}/{manifest.spec.schema_}", MAX_SCORING_BYTES)
