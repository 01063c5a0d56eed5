"""The front with nothing but what stands in for its packages, on an old Python and on a new one."""

from pathlib import Path

import pytest

from tests.serving.conftest import ANYTHING, ECHO, KEY, MAIN, PACKAGE, interpreter_of, launch, lay_out, until


@pytest.mark.parametrize("minor", ["3.9", "3.13"])
def test_a_server_without_any_package_answers_logs_and_checks_keys(tmp_path: Path, minor: str) -> None:
    options = lay_out(tmp_path / "service", score=ECHO, schema=ANYTHING)
    command = [interpreter_of(minor), "-I", str(MAIN), *options, f"--packages={PACKAGE / 'stand_ins'}"]
    service = launch(tmp_path / "service", command)
    try:
        until(service.is_ready, "the server does not get ready")

        assert service.score(x=[1, 2.5, "\u00e9", None]).document == [1, 2.5, "\u00e9", None]
        until(lambda: service.logged("request", status=200), "the request is not logged")
        assert service.logged("listening", loop="asyncio")
        assert KEY not in (tmp_path / "service" / "log").read_text()
    finally:
        service.end()
