"""Pages are read by the parser of Prometheus' own client."""

import re
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from mmgit.serving.front.exposition import page_of
from mmgit.serving.front.metrics import Family, Histogram
from mmgit.serving.spool.segments import STATUS_FILE
from tests.serving.conftest import PACKAGE, Service, Start

UNITS = ("_seconds", "_bytes", "_requests", "_lines", "_records")


def read(*families: Family) -> list[Metric]:
    return list(text_string_to_metric_families(page_of(families, (("service", "digits"),)).decode()))


def test_a_counter_and_a_gauge_are_read_back() -> None:
    answers = Family("mmgit_requests_total", "counter", "Answers.", [((("status", "200"),), 3)])
    queue = Family("mmgit_queue_requests", "gauge", "Waiting.", [((), 0.25)])

    [counter, gauge] = read(answers, queue)

    assert (counter.type, counter.documentation) == ("counter", "Answers.")
    assert [(s.name, s.labels, s.value) for s in counter.samples] == [
        ("mmgit_requests_total", {"service": "digits", "status": "200"}, 3)
    ]
    assert (gauge.type, gauge.samples[0].value) == ("gauge", 0.25)


def test_buckets_of_a_histogram_add_up() -> None:
    histogram = Histogram((0.5, 1.0))
    for value in (0.1, 0.5, 0.7, 9.0):
        histogram.observe(value)

    [found] = read(Family("mmgit_wait_seconds", "histogram", "Time.", [((), histogram)]))

    assert [(s.name.removeprefix("mmgit_wait_seconds"), s.labels.get("le"), s.value) for s in found.samples] == [
        ("_bucket", "0.5", 2),
        ("_bucket", "1.0", 3),
        ("_bucket", "+Inf", 4),
        ("_sum", None, 10.3),
        ("_count", None, 4),
    ]


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", 'a"} 1\nevil_total 5'])
def test_a_label_says_what_it_was_given(value: str) -> None:
    [found] = read(Family("mmgit_x", "gauge", "X.", [((("reason", value),), 1)]))

    assert [sample.labels["reason"] for sample in found.samples] == [value]


def test_what_a_server_shows_follows_the_conventions(echo: Service) -> None:
    echo.score(x=1)

    page = echo.admin("/metrics").body.decode()

    found = list(text_string_to_metric_families(page))
    assert len({family.name for family in found}) == len(found) > 15
    for family in found:
        assert re.fullmatch(r"mmgit_[a-z][a-z_]*", family.name)
        assert family.documentation.endswith(".")
        assert family.type in ("counter", "gauge", "histogram")
        assert ("_total" in {sample.name[-6:] for sample in family.samples}) is (family.type == "counter")
        assert family.type != "histogram" or family.name.endswith(UNITS)
        assert all(sample.labels["service"] == "digits" for sample in family.samples)


def test_the_documents_name_every_metric_of_a_server_and_no_other(start: Start, tmp_path: Path) -> None:
    named = set(re.findall(r"`(mmgit_[a-z_]+)", (PACKAGE.parent / "docs" / "telemetry.md").read_text()))

    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / STATUS_FILE).write_text("{}")
    service = start(telemetry={}, spool_folder=str(tmp_path / "spool"), otlp="http://127.0.0.1:9")

    page = service.admin("/metrics").body.decode()
    assert {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")} == named


def test_a_server_counts_what_it_answers_by_route(echo: Service) -> None:
    names = ['mmgit_requests_total{route="score",status="200"}', 'mmgit_requests_total{route="other",status="404"}']
    echo.score(x=1)
    echo.ask("/nothing")
    before = [echo.metric(name) for name in names]
    batches = echo.metric("mmgit_batch_requests_count")

    echo.score(x=1)
    echo.ask("/nothing")

    assert [echo.metric(name) for name in names] == [count + 1 for count in before]
    assert echo.metric("mmgit_batch_requests_count") == batches + 1
    assert echo.metric("mmgit_queue_duration_seconds_count") == batches + 1
