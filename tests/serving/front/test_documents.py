import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from mmgit.documents import documents_of
from mmgit.sdk import generate_schema
from mmgit.serving.front.documents import read_documents, read_schema
from mmgit.serving.settings import SettingsError
from tests.serving.conftest import Service, Start

BASE = "/api/v1/service/digits"


def test_both_documents_are_given_the_services_address(tmp_path: Path) -> None:
    (tmp_path / "swagger.json").write_text('{"swagger": "2.0", "basePath": "/"}')
    (tmp_path / "openapi.json").write_text('{"openapi": "3.1.0", "servers": [{"url": "/"}]}')

    documents = read_documents(tmp_path, BASE)

    assert json.loads(documents["swagger.json"]) == {"swagger": "2.0", "basePath": BASE}
    assert json.loads(documents["openapi.json"]) == {"openapi": "3.1.0", "servers": [{"url": BASE}]}


def test_documents_that_the_image_lacks_are_not_made_up(tmp_path: Path) -> None:
    assert read_documents(tmp_path, BASE) == {}


@pytest.mark.parametrize("schema", [generate_schema(lambda x: x, {"x": 1}, outputs=1), None])
def test_what_the_front_itself_answers_is_described(tmp_path: Path, schema: Any) -> None:
    for name, document in documents_of(schema and json.dumps(schema).encode(), None).items():
        (tmp_path / name).write_bytes(document)

    for text in read_documents(tmp_path, BASE).values():
        document = json.loads(text)
        validate(document)
        assert set(document["paths"]) == {"/score", "/openapi.json", "/swagger.json"}
        assert {"200", "408", "431", "504"} <= set(document["paths"]["/score"]["post"]["responses"])
        assert {"200", "401", "408", "431"} <= set(document["paths"]["/swagger.json"]["get"]["responses"])


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_document_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "swagger.json").write_text(text)

    with pytest.raises(SettingsError, match=r"swagger\.json"):
        read_documents(tmp_path, BASE)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"properties": []}', '{"properties": {"x": {"x-mmgit": 1}}}', "\x00"]
)
def test_a_schema_that_cannot_be_used_is_left_to_the_scorer(tmp_path: Path, text: str) -> None:
    (tmp_path / "schema.json").write_text(text)

    assert read_schema(tmp_path, "schema.json") is None
    assert read_schema(tmp_path, "missing.json") is None


def test_documents_are_served_to_whoever_has_a_key(echo: Service) -> None:
    for name in ("swagger.json", "openapi.json"):
        answer = echo.ask(f"{echo.base}/{name}", method="GET")

        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert BASE in answer.body.decode()


def test_a_document_that_is_not_there_is_not_found(start: Start) -> None:
    service = start()

    assert service.ask(f"{service.base}/swagger.json", method="GET").status == 404
