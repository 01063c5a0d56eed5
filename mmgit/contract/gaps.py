"""Two schemas in, the gaps between them out: why the wide one does not accept all that the narrow one accepts.

No gap is a proof; a gap may be one that only a cleverer comparison would close.
"""

import dataclasses
import json
import re
from collections.abc import Collection, Iterator
from math import inf
from typing import Final, Literal

from mmgit.contract.reading import DEPTH_MAX, NotComparable, Reader, TooMuch
from mmgit.contract.shapes import (
    BOOLEAN,
    DIGEST,
    INTEGER,
    NOTHING,
    Claim,
    Json,
    Limit,
    Parts,
    Scalar,
    Shape,
    is_whole,
    measure,
    text_of,
)
from mmgit.frozen import dataclass

_RANGES: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_LIMITS: Final = {"number": "imum", "string": "Length", "array": "Items", "object": "Properties"}
_SHOWN_MAX: Final = 60
_LISTED_MAX: Final = 5
_PLAIN_NAME: Final = re.compile(r"[\w-]{1,64}")

Topic = Literal["required", "added", "undeclared", "closed", "values", "keyword", "changed", "undecided"]
"""What the wide side demands or lacks.

Of a field: it must be there ("added": the narrow side does not know it), it is not known to the narrow side, it may not
be there. Of values: the subject lists those that are too many; a keyword is stricter; a keyword differs in a way that
cannot be judged; the subject says why there is no answer.
"""


@dataclass(frozen=True)
class Gap:
    """One reason why the wide side does not accept everything."""

    path: str
    topic: Topic
    subject: str = ""
    narrow: str = ""
    """What the narrow side says of the subject; nothing: no such keyword."""
    wide: str = ""


@dataclasses.dataclass
class Walk:
    """Two documents side by side. If it `keeps_fields`, the narrow one must declare every field of the wide one."""

    narrow: Reader
    wide: Reader
    keeps_fields: bool = False
    _within: list[tuple[tuple[int, ...], ...]] = dataclasses.field(default_factory=list)
    """The pairs whose comparison has begun: what leads back to one of them adds nothing."""

    def gaps(self, narrow: Parts, wide: Parts, path: str) -> list[Gap]:
        """Every gap below `path`. Raises `TooMuch`."""
        if not wide:
            return []
        pair = (tuple(map(id, narrow)), tuple(map(id, wide)))
        if pair in self._within:
            return []
        if len(self._within) >= DEPTH_MAX:
            return [Gap(path, "undecided", f"this lies more than {DEPTH_MAX} levels deep")]
        self._within.append(pair)
        try:
            return self._between(self.narrow.shapes(narrow), self.wide.shapes(wide), path)
        except TooMuch:
            raise
        except NotComparable as error:
            return [Gap(path, "undecided", str(error))]
        finally:
            self._within.pop()

    def _between(self, narrow: list[Shape], wide: list[Shape], path: str) -> list[Gap]:
        found: list[Gap] = []
        lost: list[str] = []
        for one in narrow:
            takers = [each for each in wide if each.type == one.type]
            if not takers:
                lost.append(one.type if one.values in {None, BOOLEAN.values} else listed(one.values or ()))
            elif len(takers) == 1:
                found += self._of_shapes(one, takers[0], path)
            elif all(self._of_shapes(one, each, path) for each in takers):
                found.append(Gap(path, "undecided", f"no single alternative is seen to cover the {one.type}"))
        return [Gap(path, "values", ", ".join(lost)), *found] if lost else found

    def _of_shapes(self, narrow: Shape, wide: Shape, path: str) -> list[Gap]:
        """The gaps between two shapes of one type."""
        self.narrow.budget.spend(5 + len(narrow.children) + len(wide.children) + len(narrow.values or ()))
        keys = narrow.children.keys() | wide.children.keys()
        found = [*_of_values(narrow, wide, path)]
        claims = sorted(wide.claims - narrow.claims)
        self.narrow.budget.spend(len(claims) * (1 + len(narrow.claims)))
        for claim in claims:
            found += _of_claim(claim, narrow, path)
        if narrow.type == "object":
            added = wide.required - narrow.required - narrow.children.keys()
            found += [Gap(_below(path, name), "added") for name in sorted(added)]
            for name in sorted(keys - added):
                found += self._of_property(str(name), narrow, wide, _below(path, name))
            found += self.gaps(narrow.rest, wide.rest, f"{path}.*")
        if narrow.type == "array":
            longest = narrow.high[0]
            for index in sorted(key for key in keys if isinstance(key, int) and key < longest):
                found += self.gaps(narrow.child(index), wide.child(index), f"{path}[{index}]")
            if longest > len(keys):
                found += self.gaps(narrow.rest, wide.rest, f"{path}[]")
        return found

    def _of_property(self, name: str, narrow: Shape, wide: Shape, path: str) -> list[Gap]:
        inner = self.gaps(narrow.child(name), wide.child(name), path)
        if name not in narrow.children:
            return [Gap(path, "undeclared")] if inner or self.keeps_fields else []
        if inner and wide.child(name) == NOTHING:
            return [Gap(path, "closed")]
        is_looser = name in wide.required and name not in narrow.required
        return [Gap(path, "required"), *inner] if is_looser else inner


def _of_values(narrow: Shape, wide: Shape, path: str) -> Iterator[Gap]:
    """Gaps in listed values and in limits."""
    if wide.values is not None:
        if narrow.values is None:
            yield Gap(path, "keyword", "enum", wide=listed(wide.values))
        elif narrow.values - wide.values:
            yield Gap(path, "values", listed(narrow.values - wide.values))
    elif narrow.values is not None:
        outside = [each for each in narrow.values if not wide.has_within(each)]
        if outside:
            yield Gap(path, "values", listed(outside))
    else:
        if narrow.low < wide.low:
            yield Gap(path, "keyword", "min" + _LIMITS[narrow.type], _limit(narrow.low), _limit(wide.low))
        if narrow.high > wide.high:
            yield Gap(path, "keyword", "max" + _LIMITS[narrow.type], _limit(narrow.high), _limit(wide.high))


def _of_claim(claim: Claim, narrow: Shape, path: str) -> Iterator[Gap]:
    """The gap where the wide side makes a claim that the narrow side does not make or imply."""
    keyword, argument = claim
    if argument.startswith(DIGEST):
        yield Gap(path, "undecided", f"`{keyword[:60]}` is there, and this schema changed")
    elif claim == INTEGER:
        if not _is_whole(narrow):
            yield Gap(path, "keyword", "type", '"number"', argument)
    elif not _implies(narrow, keyword, json.loads(argument)):
        others = sorted(each for name, each in narrow.claims if name == keyword)
        topic: Topic = "changed" if others else "keyword"
        yield Gap(path, topic, keyword, ", ".join(others)[:_SHOWN_MAX], argument[:_SHOWN_MAX])


def _implies(narrow: Shape, keyword: str, argument: Json) -> bool:
    """Whether all that the shape accepts fulfils a claim that it does not make."""
    if keyword == "format" and narrow.type == "number":
        if argument == "double" or (argument == "int64" and ("format", '"int32"') in narrow.claims):
            return True
        low, high = _RANGES.get(argument, (inf, -inf)) if isinstance(argument, str) else (inf, -inf)
        sizes = [narrow.low[0], narrow.high[0]] if narrow.values is None else list(map(measure, narrow.values))
        return _is_whole(narrow) and low <= min(sizes) <= max(sizes) <= high
    if keyword == "multipleOf" and isinstance(argument, int) and argument > 0:
        factors = [json.loads(text) for name, text in narrow.claims if name == "multipleOf"]
        factors = factors if narrow.values is None else [measure(each) for each in narrow.values]
        divided = [isinstance(factor, int) and factor % argument == 0 for factor in factors]
        return any(divided) if narrow.values is None else all(divided)
    return keyword == "uniqueItems" and narrow.high[0] <= 1


def _is_whole(shape: Shape) -> bool:
    return INTEGER in shape.claims if shape.values is None else all(map(is_whole, shape.values))


def listed(values: Collection[Scalar]) -> str:
    """A few of the values as JSON, sorted."""
    texts = sorted(text_of(value)[:_SHOWN_MAX] for _, value in values)
    more = f" and {len(texts) - _LISTED_MAX} more" if len(texts) > _LISTED_MAX else ""
    return ", ".join(texts[:_LISTED_MAX]) + more


def _limit(limit: Limit) -> str:
    number, side = limit
    return "" if abs(number) == inf else f"{text_of(number)[:_SHOWN_MAX]}{' exclusive' if side else ''}"


def _below(path: str, name: str | int) -> str:
    return f"{path}.{name}" if _PLAIN_NAME.fullmatch(str(name)) else f"{path}[{text_of(name)[:_SHOWN_MAX]}]"
