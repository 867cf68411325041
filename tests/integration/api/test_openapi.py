from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from solflow.api.docs import SchemaView


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    generator = SchemaView.generator_class(api_version=None)
    described: dict[str, Any] = generator.get_schema(request=None, public=True)
    return described


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_is_valid_and_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yaml"))
    assert (tmp_path / "schema.yaml").stat().st_size > 10_000


def test_every_operation_says_that_it_can_be_401_403_and_429(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        assert {"401", "403", "429"} <= set(operation["responses"]), name


def test_operations_on_one_thing_say_404_and_those_with_a_body_400_and_415(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        if "{" in name:
            assert "404" in operation["responses"], name
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= set(operation["responses"]), name


@pytest.mark.parametrize(
    "name",
    [
        "POST /api/v1/workflows/",
        "PATCH /api/v1/workflows/{id}/",
        "POST /api/v1/workflows/{id}/enable/",
        "POST /api/v1/workflows/{id}/publish/",
        "POST /api/v1/workflows/{id}/run/",
        "POST /api/v1/signers/",
        "DELETE /api/v1/signers/{id}/",
        "DELETE /api/v1/channels/{id}/",
        "POST /api/v1/executions/{execution_id}/retry/",
        "POST /api/v1/executions/{execution_id}/replay/",
        "POST /api/v1/executions/{execution_id}/resolve/",
        "POST /api/v1/idls/",
        "DELETE /api/v1/pause/",
    ],
)
def test_what_can_be_refused_by_the_state_of_things_says_409(document: dict[str, Any], name: str) -> None:
    assert "409" in operations(document)[name]["responses"]


def test_integers_have_64_bits(document: dict[str, Any]) -> None:
    def check(schema: Any, path: str) -> None:
        if isinstance(schema, dict):
            if schema.get("type") == "integer":
                assert schema["format"] == "int64", path
            for key, inner in schema.items():
                check(inner, f"{path}.{key}")
        elif isinstance(schema, list):
            for inner in schema:
                check(inner, path)

    check(document, "")


def test_the_definition_is_described_whole(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert set(schemas["WorkflowDefinition"]["properties"]) == {
        "schema",
        "trigger",
        "filter",
        "actions",
        "notifications",
    }
    assert "WorkflowDefinitionTransferSol" in schemas
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references <= set(schemas)


def test_the_document_and_its_page_need_no_login(db: None) -> None:
    client = APIClient()
    as_json = client.get("/api/schema/")
    assert (as_json.status_code, as_json.json()["info"]["title"]) == (200, "SolFlow API")
    assert client.get("/api/schema/?format=json").status_code == 200
    as_yaml = client.get("/api/schema/", HTTP_ACCEPT="application/yaml")
    assert as_yaml.content.startswith(b"openapi:")
    assert client.get("/api/docs/").status_code == 200


def test_the_page_has_nothing_inline_and_loads_only_from_here(db: None) -> None:
    client = APIClient()
    page = client.get("/api/docs/", HTTP_ACCEPT="text/html").content.decode()
    assert not re.search(r"<style|style=|<script>|\son\w+=|https?://", page)
    (script,) = re.findall(r'src="(/api/docs/[^"]+)"', page)
    answer = client.get(script, HTTP_ACCEPT="*/*")
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, "application/javascript")
    assert "SwaggerUIBundle" in answer.content.decode()
