"""The benchmark of images runs to its end."""

import shutil

import pytest

from tests.benchmarks.smallest import measured


@pytest.mark.network
@pytest.mark.timeout(900)
def test_the_smallest_run_measures_every_part() -> None:
    if shutil.which("docker-registry") is None:
        pytest.skip("needs docker-registry")

    said = measured("image/run.py")

    for part in ("1 MB, two", "40 MB, two", "largest process", "without any layer", "uv and the codec alone"):
        assert part in said
