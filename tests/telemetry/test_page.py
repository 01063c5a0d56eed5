import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

from mmgit.spec.drift import DriftSpec
from mmgit.telemetry.page import page_of

EVIL = "</style><script>alert(1)</script>\"'>&amp;\u202e\x07\n<img src=x onerror=alert(1)>"
TRAFFIC = {"requests": 100, "refused": 3, "failed": 2, "p50_ms": 11.0, "p95_ms": 30.0, "p99_ms": 1500.0}


def feature(name: str, **other: Any) -> dict[str, Any]:
    bars = [{"label": f"{name} {at}", "reference": 50, "current": 10 * at} for at in range(2)]
    rows = {"reference_rows": 100, "current_rows": 10, "bars": bars}
    return (
        {"name": name, "side": "inputs", "kind": "number", "level": "much", "psi": 0.5, "ks": 0.2, "ks_p": 0}
        | rows
        | other
    )


def report(text: str, **other: Any) -> DriftSpec:
    head = {"apiVersion": "mmgit.dev/v1", "kind": "Drift", "service": text, "environment": text, "version": text}
    days = [{"day": f"2026-11-0{day}", **TRAFFIC} for day in (1, 2)]
    features = [
        feature(text),
        feature("still", kind="category", level="none", ks=None, chi_squared=1.0, chi_squared_p=0.3),
    ]
    said = {"reference": text, "total": TRAFFIC, "days": days, "rows": 10, "reference_rows": 100, "psi": 0.5}
    names = {"only_reference": [text], "only_current": [text], "free_text": [text]}
    return DriftSpec.read({**head, **said, **names, "features": features, **other})


class Seen(HTMLParser):
    """The elements of a page, their attributes, and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_clients_wrote_is_text_and_nothing_else() -> None:
    usual, evil = Seen(page_of(report("churn"))), Seen(page_of(report(EVIL)))

    assert (evil.tags, evil.attributes) == (usual.tags, usual.attributes)
    assert not usual.tags & {"script", "img", "link", "iframe", "a", "form"}
    assert not {name for name in usual.attributes if name.startswith("on") or name in ("style", "href", "src")}
    assert "</style><script>alert(1)</script>" in evil.text
    assert "\\u202e\\x07\\n<img" in evil.text


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    page = page_of(report("churn")).decode()

    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert policy in page.replace("&#39;", "'").replace("&#x27;", "'")
    assert not re.search(r"url\(|@import|https?://", page)


def test_numbers_are_written_for_people() -> None:
    text = Seen(page_of(report("churn"))).text

    for said in ("1.5 s", "11 ms", "2 %", "3 %", "Largest PSI: churn", "PSI 0.5 · Kolmogorov–Smirnov 0.2 (p < 1e-12)"):
        assert said in text
    assert "χ² 1 (p 0.3)" in text
    assert "1 of 2 features moved" in text


def test_a_report_without_days_or_features_is_a_page() -> None:
    page = Seen(page_of(report("churn", days=[], features=[], psi=None)))

    assert "unknown" in page.text
    assert "no day" in page.text
