from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.api import StrictSerializer
from accounts.errors import FieldProblem, Invalid, NotNow, Refused
from solflow.api.errors import handle
from solflow.api.rendering import IntegersAsTextRenderer, StorableJSONParser


class Inner(StrictSerializer):
    address = serializers.CharField()
    message = serializers.CharField(required=False)


class Outer(StrictSerializer):
    name = serializers.CharField()
    entries = Inner(many=True)


def paths(data: Any) -> list[tuple[str, str]]:
    serializer = Outer(data=data)
    with pytest.raises(exceptions.ValidationError) as error:
        serializer.is_valid(raise_exception=True)
    answer = handle(error.value, {})
    assert answer is not None
    assert answer.status_code == 400
    return [(problem["path"], problem["code"]) for problem in answer.data["errors"]]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"entries": []}, [("name", "required")]),
        ({"name": "x", "entries": [{"address": "a"}, {}]}, [("entries[1].address", "required")]),
        ({"name": "x", "entries": [{"address": "a", "message": None}]}, [("entries[0].message", "null")]),
        ({"name": "x", "entries": [{"address": "a", "x": 1}]}, [("entries[0].x", "unknown_key")]),
        ({"name": "x", "entries": {}}, [("entries", "not_a_list")]),
        ({"name": "x", "entries": [5]}, [("entries[0]", "invalid")]),
        ([], [("", "invalid")]),
    ],
)
def test_problems_of_a_body_are_named_by_path(data: Any, expected: list[tuple[str, str]]) -> None:
    assert paths(data) == expected


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Refused("no"), 409, "client_error"),
        (NotNow("later"), 503, "server_error"),
        (Invalid("x", errors=[FieldProblem("a", "b", "c")]), 400, "validation_error"),
        (exceptions.NotFound(), 404, "client_error"),
        (exceptions.Throttled(wait=1.2), 429, "client_error"),
    ],
)
def test_errors_of_services_and_of_the_framework_have_one_shape(error: Exception, status: int, kind: str) -> None:
    answer = handle(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data["type"]) == (status, kind)
    assert set(answer.data) == {"type", "code", "detail", "errors"}


def test_a_throttled_client_is_told_how_long_to_wait() -> None:
    answer = handle(exceptions.Throttled(wait=1.2), {})
    assert answer is not None
    assert answer["Retry-After"] == "2"


def test_what_nobody_expected_is_left_to_the_log() -> None:
    assert handle(RuntimeError("boom"), {}) is None


def rendered(query: str, data: Any) -> Any:
    request = Request(APIRequestFactory().get(f"/{query}"))
    return json.loads(IntegersAsTextRenderer().render(data, renderer_context={"request": request}))


def test_integers_become_text_at_any_depth_and_nothing_else_does() -> None:
    data = {"a": 2**63, "b": [1, {"c": -5}], "d": True, "e": None, "f": 1.5, "g": "7"}
    text = {"a": "9223372036854775808", "b": ["1", {"c": "-5"}], "d": True, "e": None, "f": 1.5, "g": "7"}
    assert rendered("?integers=string", data) == text
    assert rendered("", data) == data
    assert rendered("?integers=json", data) == data


@pytest.mark.parametrize("text", ['{"a": "\\ud83d\\ude00"}', '{"a": "\\u0001"}', '{"a": 1e300}', "7", '"x"', "null"])
def test_json_that_can_be_stored_is_read_as_it_is(text: str) -> None:
    assert StorableJSONParser().parse(io.BytesIO(text.encode())) == json.loads(text)


@pytest.mark.parametrize(
    "text", ['{"a": "\\u0000"}', '["\\udc00"]', '{"a": {"a": 1, "a": 2}}', "Infinity", "1e400", "{", "", "[" * 10_000]
)
def test_json_that_cannot_be_stored_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(exceptions.ParseError) as error:
        StorableJSONParser().parse(io.BytesIO(text.encode()))
    assert "\\u" not in str(error.value.detail)
