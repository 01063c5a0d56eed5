from tests.benchmarks.smallest import measured


def test_the_smallest_run_measures_every_command() -> None:
    said = measured("telemetry.py")

    for what in ("show, all days", "show, one day", "report, one version against the other", "export --rows, one day"):
        assert f"| {what} | " in said
