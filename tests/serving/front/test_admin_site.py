import pytest

from tests.serving.conftest import Client, Service, request


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/ready", 200), ("/metrics", 200), ("/", 404)])
def test_the_admin_port_shows_three_pages(echo: Service, path: str, status: int) -> None:
    assert echo.admin(path).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_on_the_admin_port_can_be_changed(echo: Service, method: str) -> None:
    client = Client(echo.admin_port)

    client.send(request("/ready", method=method))

    assert client.answer().status == 405
    client.close()


def test_scoring_is_not_on_the_admin_port(echo: Service) -> None:
    assert echo.admin(echo.score_path).status == 404


def test_the_metrics_page_is_prometheus_text(echo: Service) -> None:
    answer = echo.admin("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b'mmgit_scorers_ready{service="digits"} 1\n' in answer.body
