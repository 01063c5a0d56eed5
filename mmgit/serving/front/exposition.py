"""Families in, the page that Prometheus reads out (text format 0.0.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgit.serving.front.metrics import Family, Histogram, Labels

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def page_of(families: Iterable[Family], common: Labels) -> bytes:
    """The whole page; every series has the labels of `common` first."""
    lines: list[str] = []
    for family in families:
        lines += (f"# HELP {family.name} {family.meaning}", f"# TYPE {family.name} {family.kind}")
        for labels, value in family.series:
            named = _joined((*common, *labels))
            if isinstance(value, Histogram):
                lines += _buckets(family.name, named, value)
            else:
                lines.append(f"{family.name}{{{named}}} {_number(value)}")
    return "\n".join([*lines, ""]).encode()


def _buckets(name: str, named: str, histogram: Histogram) -> Iterable[str]:
    total = 0
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.counts):
        total += count
        yield f'{name}_bucket{{{named},le="{bound}"}} {total}'
    yield f"{name}_sum{{{named}}} {histogram.total:.6f}"
    yield f"{name}_count{{{named}}} {total}"


def _joined(labels: Labels) -> str:
    return ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
