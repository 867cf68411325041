"""The inbox refuses what Discord would refuse, so that a message which arrives here would arrive there."""

from typing import Any

import pytest

from solflow.inbox.limits import refusal


@pytest.mark.parametrize(
    "payload",
    [
        {"content": "x" * 2000},
        {"embeds": [{"title": "t" * 256, "description": "d" * 4096}]},
        {"embeds": [{"fields": [{"name": "n", "value": "v"}] * 25}] * 10},
        {"content": "hi", "allowed_mentions": {"parse": []}, "username": "SolFlow", "embeds": None},
    ],
)
def test_a_message_within_the_limits_is_taken(payload: dict[str, Any]):
    assert refusal(payload) is None


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"content": "x" * 2001}, "content"),
        ({"content": 5}, "content"),
        ({"embeds": [{}] * 11}, "embeds"),
        ({"embeds": "none"}, "embeds"),
        ({"embeds": [{"title": "t" * 257}]}, "embeds.0.title"),
        ({"embeds": [{"description": "d" * 4097}]}, "embeds.0.description"),
        ({"embeds": [{"footer": {"text": "f" * 2049}}]}, "embeds.0.footer.text"),
        ({"embeds": [{"author": {"name": "a" * 257}}]}, "embeds.0.author.name"),
        ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, "embeds.0.fields"),
        ({"embeds": [{"fields": [{"name": "n", "value": ""}]}]}, "embeds.0.fields.0.value"),
        ({"embeds": [{"fields": [{"name": "n" * 257, "value": "v"}]}]}, "embeds.0.fields.0.name"),
        ({"embeds": [{"description": "d" * 4000}, {"description": "d" * 2001}]}, "embeds"),
    ],
)
def test_a_message_beyond_a_limit_is_refused_at_its_path(payload: dict[str, Any], path: str):
    refused = refusal(payload)
    assert refused is not None
    assert refused["code"] == 50035
    assert path in refused["errors"]


@pytest.mark.parametrize("payload", [{}, {"content": ""}, {"embeds": []}, {"username": "x"}])
def test_a_message_without_anything_to_show_is_empty(payload: dict[str, Any]):
    assert refusal(payload) == {"message": "Cannot send an empty message", "code": 50006}


@pytest.mark.parametrize("payload", [None, [], "text", 5])
def test_a_body_that_is_no_object_is_no_message(payload: Any):
    refused = refusal(payload)
    assert refused is not None
    assert refused["code"] == 50109
