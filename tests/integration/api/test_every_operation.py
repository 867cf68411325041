"""What the OpenAPI document says is what is answered, for whatever is sent that it allows or does not allow.

Two requests of each operation; `API_EXAMPLES=20 make test TESTS=tests/integration/api/test_every_operation.py` makes so
many, about a thousand in all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from accounts.services import token_create
from accounts.throttling import TokenThrottle
from solflow.api.docs import SchemaView
from tests.people import Person

EXAMPLES = int(os.environ.get("API_EXAMPLES", "2"))
SCHEMA = schemathesis.openapi.from_dict(SchemaView.generator_class(api_version=None).get_schema(public=True))
SCHEMA.app = get_wsgi_application()
OPERATIONS = {one.ok().label: one.ok() for one in SCHEMA.get_all_operations()}
load_all_checks()


def can_be_wrong(operation: Any) -> bool:
    """Whether it takes anything beside who asks."""
    return bool(operation.body) or any(
        one.name not in ("Authorization", "sessionid") for one in operation.iter_parameters()
    )


HELD = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    ]
)


@pytest.fixture
def token(alice: Person, no_chain: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(TokenThrottle, "allow_request", lambda *_: True)
    # As Django's own test client does: the connection is in the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield token_create(actor=alice.actor, user=alice.user, name="all")[1]
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_answers_to_what_is_allowed_as_the_document_says(name: str, token: str) -> None:
    ask(OPERATIONS[name], GenerationMode.POSITIVE, token)


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if can_be_wrong(one)])
def test_an_operation_answers_to_what_is_not_allowed_as_the_document_says(name: str, token: str) -> None:
    ask(OPERATIONS[name], GenerationMode.NEGATIVE, token)


def ask(operation: Any, mode: GenerationMode, token: str) -> None:
    """Send examples, each as alice and as a stranger."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def examples(data: Any) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        for headers in ({"Authorization": f"Token {token}"}, {}):
            case.call_and_validate(headers=headers, checks=HELD)

    examples()
