"""What each kind of text accepts, and what it refuses."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mmgit.spec import fields
from mmgit.spec.exact import translated
from mmgit.spec.quick import Doubtful, reader

ACCEPTED = [
    (fields.Name, ["abc", "churn", "a-1", "x" * 32]),
    (fields.Reference, ["churn/4", "a-b/123"]),
    (fields.Digest, ["sha256:" + "0" * 64]),
    (fields.RelativePath, ["a", "a/b.py", ".hidden", "ä/ö", "a b", "a$b"]),
    (fields.Cpu, ["500m", "2", "0.5"]),
    (fields.Memory, ["512Mi", "1G", "2Ti"]),
    (fields.Duration, ["500ms", "60s", "24h", "90d"]),
    (fields.Version, ["3.11", "1.36"]),
    (fields.DnsName, ["models.acme.example", "localhost"]),
    (fields.Registry, ["registry.example.com/models", "127.0.0.1:5000", "ghcr.io/a/b_c"]),
    (fields.Date, ["2027-02-28"]),
    (fields.Uri, ["https://x.example/a", "s3://bucket/k", "file:///srv/models"]),
    (fields.Variable, ["DB_URL", "_x1"]),
    (fields.LabelKey, ["tier", "mmgit.dev/x"]),
]
REFUSED = [
    (fields.Name, ["ab", "x" * 33, "Churn", "-abc", "abc-", "a_b", "abc\n", "äbc"]),
    (fields.Reference, ["churn", "churn/0", "churn/04", "churn/-1", "churn/4/5", "/4"]),
    (fields.Digest, ["sha256:" + "0" * 63, "sha256:" + "G" * 64, "0" * 64]),
    (
        fields.RelativePath,
        ["", "/a", "../a", "a/../b", "a/./b", "~/a", "$HOME/a", "a\\b", "a//b", "a/", "a.", "a /b", "a:b"],
    ),
    (fields.RelativePath, ["a\nb", "a\x00", "nul\x7f"]),
    (fields.Cpu, ["500", "1.5m", "-1", "500m\n", ""][1:]),
    (fields.Memory, ["512", "0Mi", "1.5Gi", "1gb"]),
    (fields.Duration, ["60", "0s", "1w", "1.5s"]),
    (fields.Version, ["3", "3.11.2"]),
    (fields.DnsName, ["a..b", "-a", "A.example", "a/b"]),
    (fields.Registry, ["https://x", "x/Y", "x/..", "x@y", "$X"]),
    (fields.Date, ["2027-13-01", "27-01-01"]),
    (fields.Uri, ["ftp://x", "javascript:alert(1)", "https://a b"]),
    (fields.Variable, ["1A", "A-B", "A=B"]),
    (fields.LabelKey, ["/a", "a/b/c", "ä"]),
]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in ACCEPTED for text in texts])
def test_good_text_is_accepted_as_it_is(kind: Any, text: str) -> None:
    assert TypeAdapter(translated(kind)).validate_python(text) == text
    assert reader(kind)(text) == text


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REFUSED for text in texts])
def test_bad_text_is_refused(kind: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(translated(kind)).validate_python(text)
    with pytest.raises(Doubtful):
        reader(kind)(text)


def test_durations_have_seconds() -> None:
    durations = ["500ms", "60s", "5m", "24h", "90d"]

    seconds = [fields.seconds_of(duration) for duration in durations]

    assert seconds == [0.5, 60, 300, 86400, 90 * 86400]


def test_amounts_of_memory_have_bytes() -> None:
    assert [fields.bytes_of(memory) for memory in ("1Ki", "10Mi", "2G")] == [1024, 10 * 2**20, 2 * 10**9]


def test_processors_are_numbers() -> None:
    assert [fields.cpus_of(cpu) for cpu in ("500m", "2", "0.5")] == [0.5, 2.0, 0.5]
