"""What may be said about telemetry."""

from typing import Any

import pytest

from mmgit.spec import Refused
from mmgit.spec.telemetry import Recording, TelemetrySpec


@pytest.mark.parametrize("address", ["http://otel:4318", "https://otlp.example.com/prefix", "http://10.0.0.1:4318/"])
def test_an_otlp_receiver_is_an_http_address(address: str) -> None:
    assert TelemetrySpec.read({"otlp": address}).otlp == address


@pytest.mark.parametrize(
    "address", ["grpc://otel:4317", "otel:4318", "http://otel?x=1", "http://u:p@otel", "http://a b"]
)
def test_another_address_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="expected an http"):
        TelemetrySpec.read({"otlp": address})


@pytest.mark.parametrize(
    "given", [{"spool": "256M"}, {"spool": "0Mi"}, {"redact": [""]}, {"redact": ["a\nb"]}, {"rows": 1}]
)
def test_what_is_recorded_is_checked(given: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        Recording.read(given)


def test_nothing_need_be_said() -> None:
    assert Recording.read({}) == Recording(inputs=None, outputs=None, redact=(), spool=None)
