"""The kinds of text and number that declared files are made of, each with the reason it is refused.

Every declared type derives from `Spec`: frozen, unknown keys refused, numbers never taken for text.
Validation messages are written for people; `repository.load` adds the place.
"""

from typing import Annotated, Literal, TypeVar

from mmgit.spec.record import Spec
from mmgit.spec.vocabulary import Listed, Matching, Sized, Within

T = TypeVar("T")


class Document(Spec):
    """A whole declared file. Its identity is its path: no name or version inside."""

    apiVersion: Literal["mmgit.dev/v1"]  # noqa: N815 - the key as Kubernetes spells it


List = Annotated[tuple[T, ...], Listed()]
"""A YAML sequence. Frozen in Python; its items stay strict."""


NAME = Matching(
    r"[a-z0-9](?:[a-z0-9-]{1,30})[a-z0-9]",
    "3 to 32 lower-case letters, digits and '-', with a letter or digit at both ends",
)
Name = Annotated[str, NAME]
"""A model, service, group, environment or base: 3–32 characters, as the reference allowed them."""

REFERENCE = Matching(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]/[1-9][0-9]{0,8}", "<model>/<number>, like churn/4")
Reference = Annotated[str, REFERENCE]
"""`<model>/<n>`; the field says whether it names a version or a manifest."""

Digest = Annotated[str, Matching(r"sha256:[0-9a-f]{64}", "'sha256:' and 64 hexadecimal digits")]
Sha256 = Annotated[str, Matching(r"[0-9a-f]{64}", "64 hexadecimal digits")]

RelativePath = Annotated[
    str,
    Matching(
        r"(?!.*(?:^|/)\.{0,2}(?:/|$))(?!.*[. ](?:/|$))[^/\\\x00-\x1f\x7f:*?\"<>|~$][^\\\x00-\x1f\x7f:*?\"<>|]*(?<!/)",
        "a relative path of plain file names, without '..', '~', '\\' or a trailing dot",
    ),
]
"""A path below the file that names it. What lies there is opened by `repository.files` alone."""

Cpu = Annotated[str, Matching(r"[0-9]+m|[0-9]+(?:\.[0-9]{1,3})?", "processors, like 500m or 2")]
"""Kubernetes' cpu quantity, in the two forms that people write."""

MEMORY_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
Memory = Annotated[str, Matching(r"[1-9][0-9]{0,11}(?:Ki|Mi|Gi|Ti|k|M|G|T)", "an amount of memory, like 512Mi or 2Gi")]

DURATION = Matching(r"[1-9][0-9]{0,5}(?:ms|s|m|h|d)", "a duration, like 500ms, 60s, 5m, 24h or 90d")
Duration = Annotated[str, DURATION]

PACKAGE_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"
"""As PEP 508 has it."""

Version = Annotated[str, Matching(r"[0-9]+\.[0-9]+", 'a minor version in quotes, like "3.11"')]
"""A Python or Kubernetes minor version. `3.10` without quotes is the number 3.1."""

Platform = Literal[
    "linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/ppc64le", "linux/s390x", "linux/riscv64"
]
"""A name in `platforms.PLATFORMS`."""

Variable = Annotated[str, Matching(r"[A-Za-z_][A-Za-z0-9_]{0,127}", "a variable name of letters, digits and '_'")]

DnsName = Annotated[
    str,
    Matching(
        r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*", "a DNS name in lower case"
    ),
]

Registry = Annotated[
    str,
    Matching(
        r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*",
        "a registry host and prefix, like registry.example.com/models",
    ),
]

KubernetesName = Annotated[
    str,
    Matching(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", "a Kubernetes name of lower-case letters, digits, '-' and '.'"),
]

LabelKey = Annotated[
    str,
    Matching(
        r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
        "a label key: an optional DNS prefix and '/', then up to 63 letters, digits, '-', '_' and '.'",
    ),
]
LabelValue = Annotated[
    str,
    Matching(
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?",
        "a label value: up to 63 letters, digits, '-', '_', '.'",
    ),
]

DATE = Matching(r"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", 'a date, like "2027-02-28"')
Date = Annotated[str, DATE]

Uri = Annotated[
    str,
    Matching(
        r"(?:https|file|s3|gs|abfs|abfss|oci|mlflow)://?[^\s\x00-\x1f]+",
        "a URI, like https://… or s3://…, where %20 is a space",
    ),
]

REFERENCE_FORMS = (".parquet", ".csv")

Text = Annotated[str, Sized(None, 4096)]
Count = Annotated[int, Within(1)]
Percentage = Annotated[int, Within(1, 100)]

_SECONDS: dict[str, float] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(duration: str) -> float:
    """The seconds of a checked `Duration`."""
    unit = duration.lstrip("0123456789")
    return int(duration[: -len(unit)]) * _SECONDS[unit]


def bytes_of(memory: str) -> int:
    """The bytes of a checked `Memory`."""
    unit = memory.lstrip("0123456789")
    return int(memory[: -len(unit)]) * MEMORY_UNITS[unit]


def cpus_of(cpu: str) -> float:
    """The processors of a checked `Cpu`."""
    return int(cpu[:-1]) / 1000 if cpu.endswith("m") else float(cpu)
