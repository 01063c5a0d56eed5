from time import perf_counter

from mmgit.serving.front.metrics import SECONDS, Family, Histogram, Metrics


def family(metrics: Metrics, name: str) -> Family:
    [found] = [each for each in metrics.families() if each.name == name]
    return found


def test_answers_are_counted_by_status_and_route() -> None:
    metrics = Metrics()

    for route, status in (("score", 200), ("score", 503), ("infer", 200), ("score", 200)):
        metrics.answered(route, status, 0.001)

    assert family(metrics, "mmgit_requests_total").series == [
        ((("status", "200"), ("route", "infer")), 1),
        ((("status", "200"), ("route", "score")), 2),
        ((("status", "503"), ("route", "score")), 1),
    ]


def test_a_value_falls_into_the_bucket_whose_bound_it_does_not_exceed() -> None:
    histogram = Histogram((1.0, 2.0))

    for value in (0.5, 1.0, 1.5, 3.0):
        histogram.observe(value)

    assert histogram.counts == [2, 1, 1]
    assert histogram.total == 6.0


def test_times_queue_times_and_batches_have_a_histogram_each() -> None:
    metrics = Metrics()

    metrics.answered("score", 200, 0.3)
    metrics.queued(0.0)
    metrics.scored(3)

    found = {each.name: value for each in metrics.families() for _, value in each.series if each.kind == "histogram"}
    assert {name: value.total for name, value in found.items() if isinstance(value, Histogram)} == {
        "mmgit_request_duration_seconds": 0.3,
        "mmgit_queue_duration_seconds": 0.0,
        "mmgit_batch_requests": 3,
    }


def test_bounds_are_in_order() -> None:
    assert list(SECONDS) == sorted(set(SECONDS))


def test_counting_one_request_takes_little_time() -> None:
    metrics = Metrics()

    def microseconds() -> float:
        began = perf_counter()
        for _ in range(1000):
            metrics.queued(0.0)
            metrics.scored(1)
            metrics.answered("score", 200, 0.0012)
        return (perf_counter() - began) * 1000

    assert min(microseconds() for _ in range(20)) < 10  # it takes 1 where nothing else runs
