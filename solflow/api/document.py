"""The OpenAPI document: what drf-spectacular cannot see by itself.

Every operation names the errors that it can answer with, definitions have their whole JSON Schema, and integers say
that they have 64 bits.
"""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from accounts.idempotency import MAX_KEY_LENGTH
from workflows.specs.workflow import WorkflowSpec

DEFINITION = "WorkflowDefinition"
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Each person has keys of their own. The same key and body within 24 hours give the same answer and do"
    " nothing again; another body is 409.",
)


class ProblemSerializer(serializers.Serializer):
    path = serializers.CharField(help_text="Where in the request: `definition.actions[0].lamports`.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ApiErrorSerializer(serializers.Serializer):
    """The shape of every error."""

    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    code = serializers.CharField(help_text="Stable.")
    detail = serializers.CharField(help_text="For a person.")
    errors = ProblemSerializer(many=True)


class ApiSchema(AutoSchema):
    """Adds to each operation the errors that it can answer with, and the header of those that are done once."""

    def get_override_parameters(self) -> list[Any]:
        once = self._action() in ("create", "duplicate", "run") and "create" in getattr(self.view, "may_conflict", ())
        return [*([IDEMPOTENCY_KEY] if once else []), *super().get_override_parameters()]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if self._action() == "resume":
            # DELETE of a pause answers with what is no longer paused, as its POST does.
            bodies = {"200": self._get_response_for_code(self.get_response_serializers(), "200")}
        for code in self._errors():
            bodies.setdefault(str(code), self._get_response_for_code(ApiErrorSerializer, str(code)))
        return bodies

    def _errors(self) -> list[int]:
        errors = [401, 403, 429]
        reads_body = self.method in ("POST", "PUT", "PATCH") and self.get_request_serializer() is not None
        if reads_body:
            errors += [400, 413, 415]
        elif (self._is_list_view() and self._get_paginator()) or self._action() in getattr(
            self.view, "may_be_invalid", ()
        ):
            errors.append(400)
        if "{" in self.path or self._action() in getattr(self.view, "may_be_missing", ()):
            errors.append(404)
        if self._action() in getattr(self.view, "may_conflict", ()):
            errors.append(409)
        if self._action() in getattr(self.view, "may_be_unavailable", ()):
            errors.append(503)
        return sorted(errors)

    def _action(self) -> str:
        return str(getattr(self.view, "action", ""))


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <token>`; `manage.py create_token USER` makes one.",
        }


def add_definition(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: the JSON Schema of a definition, its parts as components of their own."""
    schema = WorkflowSpec.model_json_schema(
        by_alias=True, ref_template="#/components/schemas/" + DEFINITION + "{model}"
    )
    components = result["components"]["schemas"]
    for name, part in schema.pop("$defs", {}).items():
        components[DEFINITION + name] = part
    components[DEFINITION] = schema
    return result


def close_bodies(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: keys that a request's body does not have are refused, and the document says so."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request") and "properties" in schema:
            schema["additionalProperties"] = False
    return result


def widen_integers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: lamports and slots do not fit into 32 bits, which is what generators choose unasked."""
    _widen(result)
    return result


def _widen(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") == "integer" or (isinstance(schema.get("type"), list) and "integer" in schema["type"]):
            schema.setdefault("format", "int64")
        for inner in schema.values():
            _widen(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _widen(inner)
