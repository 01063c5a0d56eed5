from mmgit.serving.front.metrics import Metrics


def lines_of(metrics: Metrics) -> list[str]:
    return metrics.render([("mmgit_queue_requests", "Requests that wait.", 3)]).decode().splitlines()


def test_answers_are_counted_by_status() -> None:
    metrics = Metrics("digits")
    for status in (200, 503, 200):
        metrics.answered(status, 0.001)

    lines = lines_of(metrics)

    assert 'mmgit_requests_total{service="digits",status="200"} 2' in lines
    assert 'mmgit_requests_total{service="digits",status="503"} 1' in lines


def test_times_fall_into_buckets_that_add_up() -> None:
    metrics = Metrics("digits")
    for seconds in (0.001, 0.0011, 0.3, 500):
        metrics.answered(200, seconds)

    buckets = [line for line in lines_of(metrics) if line.startswith("mmgit_request_seconds_bucket")]

    assert buckets[0] == 'mmgit_request_seconds_bucket{service="digits",le="0.001"} 1'
    assert buckets[1] == 'mmgit_request_seconds_bucket{service="digits",le="0.0025"} 2'
    assert buckets[-2] == 'mmgit_request_seconds_bucket{service="digits",le="60.0"} 3'
    assert buckets[-1] == 'mmgit_request_seconds_bucket{service="digits",le="+Inf"} 4'
    assert 'mmgit_request_seconds_count{service="digits"} 4' in lines_of(metrics)
    assert 'mmgit_request_seconds_sum{service="digits"} 500.302100' in lines_of(metrics)


def test_every_metric_says_what_it_is() -> None:
    metrics = Metrics("digits")
    metrics.answered(200, 0.1)

    lines = lines_of(metrics)

    names = {line.partition("{")[0].removesuffix("_bucket") for line in lines if not line.startswith("#")}
    for name in names - {"mmgit_request_seconds_sum", "mmgit_request_seconds_count"}:
        assert any(line.startswith(f"# HELP {name} ") for line in lines)
        assert any(line.startswith(f"# TYPE {name} ") for line in lines)


def test_the_present_is_shown_as_it_is_given() -> None:
    assert 'mmgit_queue_requests{service="digits"} 3' in lines_of(Metrics("digits"))
