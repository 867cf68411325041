from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from executions.models import Attempt, Delivery, Execution
from tests.executing import balance_event, new_address, take_events
from tests.integration.api.conftest import DISCORD_URL, paying
from tests.people import Person
from workflows.models import Workflow
from workflows.services import address_list_create, channel_create, idl_create, signer_create, workflow_create

URL = "/api/v1/executions/"


@pytest.fixture
def burst(alice: Person) -> list[str]:
    """Execution ids, newest first, of 25 events that came in one transaction at one time."""
    workflow = some_workflow(alice)
    ids = take_events(workflow, [balance_event(new_address(), slot) for slot in range(25)])
    Execution.objects.update(created_at=timezone.now())
    return list(Execution.objects.filter(id__in=ids).order_by("-id").values_list("execution_id", flat=True))


def some_workflow(alice: Person) -> Workflow:
    return workflow_create(actor=alice.actor, definition=paying(), settings={"name": "x"})


def page(client: APIClient, url: str) -> tuple[list[str], str | None, str | None]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    return [row["execution_id"] for row in body["results"]], body["next"], body["previous"]


def test_pages_forward_show_every_row_once_also_when_all_have_one_time(api: APIClient, burst: list[str]) -> None:
    seen: list[str] = []
    url: str | None = f"{URL}?page_size=10"
    while url:
        rows, url, _ = page(api, url)
        seen += rows
    assert seen == burst


def test_previous_leads_back_to_the_same_pages(api: APIClient, burst: list[str]) -> None:
    first, second_url, none = page(api, f"{URL}?page_size=10")
    second, third_url, first_url = page(api, second_url or "")
    third, end, _ = page(api, third_url or "")
    assert (none, end, len(third)) == (None, None, 5)
    assert page(api, page(api, third_url or "")[2] or "")[0] == second
    back, forward, nothing = page(api, first_url or "")
    assert (back, nothing) == (first, None)
    assert page(api, forward or "")[0] == second


def test_a_row_that_comes_in_between_moves_no_page(api: APIClient, alice: Person, burst: list[str]) -> None:
    _, second_url, _ = page(api, f"{URL}?page_size=10")
    take_events(some_workflow(alice), [balance_event(new_address(), 99)])
    assert page(api, second_url or "")[0] == burst[10:20]


def test_links_keep_the_filters(api: APIClient, burst: list[str]) -> None:
    _, url, _ = page(api, f"{URL}?page_size=10&status=pending")
    assert "status=pending" in (url or "")
    assert page(api, url or "")[0] == burst[10:20]


@pytest.mark.parametrize(
    "cursor",
    ["x", "bnVsbA", "WzEsMl0", "W3RydWUsIngiLDFd", "W3RydWUsWzFdLHt9XQ", "W3RydWUsbnVsbCxudWxsXQ", "a" * 500, "é"],
)
def test_a_cursor_that_is_none_is_400(api: APIClient, cursor: str) -> None:
    for resource in ("executions", "workflows", "audit"):
        answer = api.get(f"/api/v1/{resource}/", {"cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "cursor")


def fill(alice: Person, number: int) -> None:
    """One more of everything that lists show, with what hangs on it."""
    actor = alice.actor
    signer = signer_create(actor=actor, name=f"s{number}")
    channel = channel_create(actor=actor, name=f"c{number}", type="discord", config={"webhook_url": DISCORD_URL})
    address_list_create(actor=actor, name=f"l{number}", entries=[{"address": new_address()}])
    idl_create(actor=actor, name=f"i{number}", document={"address": new_address(), "instructions": []})
    workflow = workflow_create(actor=actor, definition=paying(), settings={"name": "x"}, signer_id=signer.id)
    (row_id,) = take_events(workflow, [balance_event(new_address(), number)])
    Delivery.objects.create(
        execution_id=row_id, team=actor.team, channel=channel, outcome="success", next_attempt_at=timezone.now()
    )
    Attempt.objects.create(
        execution_id=row_id,
        number=1,
        signer=signer,
        signature=f"s{number}",
        raw=b"",
        blockhash="b",
        last_valid_block_height=1,
        genesis_hash="g",
        signed_at=timezone.now(),
    )


def queries(client: APIClient, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "resource",
    ["workflows", "executions", "signers", "channels", "address-lists", "idls", "audit", "subscriptions", "gaps"],
)
def test_a_list_makes_as_many_queries_for_many_rows_as_for_one(
    api: APIClient, alice: Person, resource: str, no_chain: Any
) -> None:
    url = f"/api/v1/{resource}/"
    fill(alice, 1)
    api.get(url)  # the token's last use is written once a minute
    before = queries(api, url)
    for number in range(2, 7):
        fill(alice, number)
    assert queries(api, url) == before
    assert before <= 6
