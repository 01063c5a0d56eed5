from collections.abc import Callable
from typing import Any

import pytest

from mmgit.desired import DesiredService
from mmgit.spec.service import SecretKey

Check = Callable[..., list[str]]
MakeService = Callable[..., DesiredService]


@pytest.fixture
def compose(check: Check, service: MakeService) -> Callable[..., list[str]]:
    """Checks the file of a compose service after a change of its entry."""

    def run(change: Callable[[Any], object], **fields: Any) -> list[str]:
        own = service(blueprint="compose/default", **fields)
        return check(lambda objects: change(objects["None"]["services"]["churn"]), own, target="compose", name="dev")

    return run


Compose = Callable[..., list[str]]


def test_what_is_rendered_is_good(compose: Compose) -> None:
    variables = {"A": "x", "B": SecretKey(secret="s", key="k")}

    assert compose(lambda _: None, variables=variables, gpu=1) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda entry: entry.update(imag="x"),
            "M630: services.churn: Additional properties are not allowed ('imag' was unexpected)",
        ),
        (
            lambda entry: entry.update(image="churn:latest"),
            (
                "M610: container `churn`: image `churn:latest` is not <repository>@sha256:<64 hexadecimal digits>, "
                "without a tag"
            ),
        ),
        (lambda entry: entry.update(privileged=True), "M631: container `churn`: privileged is not allowed"),
        (lambda entry: entry.update(ports=["80:80"]), "M631: container `churn`: ports is not allowed"),
        (lambda entry: entry.update(read_only=False), "M631: container `churn`: read_only must be true"),
        (lambda entry: entry.update(cap_drop=["CHOWN"]), "M631: container `churn`: cap_drop must hold ALL"),
        (
            lambda entry: entry.pop("security_opt"),
            "M631: container `churn`: security_opt must hold no-new-privileges:true",
        ),
        (lambda entry: entry.update(user="0:0"), "M631: container `churn`: user must be a number other than 0"),
        (
            lambda entry: entry["deploy"]["resources"]["limits"].pop("memory"),
            "M631: container `churn`: there is no limit of memory",
        ),
        (lambda entry: entry.pop("healthcheck"), "M631: container `churn`: there is no healthcheck"),
    ],
)
def test_a_file_fits_the_schema_and_a_container_has_no_rights(compose: Compose, change: Any, problem: str) -> None:
    assert compose(change) == [problem]
