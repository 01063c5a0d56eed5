"""A gap between two contracts in, the difference in words for those who call the service out."""

from typing import Final, Literal

from mmgit.contract.gaps import Gap
from mmgit.frozen import dataclass

Way = Literal["input", "output"]


@dataclass(frozen=True)
class Difference:
    """One field that the candidate takes or returns in another way than what runs now."""

    path: str
    """In the terms of the schema, like `input.data[].age` or `output.probabilities[]`."""
    text: str
    is_breaking: bool


_OF_FIELDS: Final = {
    ("required", "input", True): "was optional, is required",
    ("required", "input", False): "was required, is optional",
    ("required", "output", True): "was always returned, may be missing",
    ("required", "output", False): "may have been missing, is always returned",
    ("added", "input", True): "is new and required",
    ("added", "input", False): "is no longer required",
    ("added", "output", True): "no longer returned",
    ("added", "output", False): "is new",
    ("undeclared", "input", True): "is new, and does not take everything that was accepted under this name",
    ("undeclared", "input", False): "no longer declared: takes anything",
    ("undeclared", "output", True): "no longer returned",
    ("undeclared", "output", False): "is new",
    ("closed", "input", True): "no longer accepted",
    ("closed", "input", False): "is new and optional",
    ("closed", "output", True): "is returned, and was ruled out",
    ("closed", "output", False): "is ruled out",
}
_OF_VALUES: Final = {
    ("input", True): "accepts fewer values",
    ("input", False): "accepts more values",
    ("output", True): "may return other values",
    ("output", False): "returns fewer values",
}


def difference(gap: Gap, way: Way, *, is_breaking: bool) -> Difference:
    """The difference that a gap is; the old side is the narrow one of a breaking input or a harmless output."""
    return Difference(gap.path, _text(gap, way, is_breaking), is_breaking)


def _text(gap: Gap, way: Way, is_breaking: bool) -> str:  # noqa: FBT001 - private
    field = _OF_FIELDS.get((gap.topic, way, is_breaking))
    if field is not None:
        return field
    is_old_narrow = (way == "input") == is_breaking
    if gap.topic == "values":
        text = f"{'no longer' if is_old_narrow else 'now also'} {gap.subject}"
    elif gap.topic == "undecided":
        text = gap.subject
    else:
        was, now = (gap.narrow, gap.wide) if is_old_narrow else (gap.wide, gap.narrow)
        text = f"`{gap.subject}` was {was or 'absent'}, is {now or 'absent'}"
    if gap.topic in {"undecided", "changed"}:
        return f"cannot be compared: {text}"
    return f"{_OF_VALUES[way, is_breaking]}: {text}"
