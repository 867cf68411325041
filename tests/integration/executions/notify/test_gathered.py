"""A storm of executions as one message, a cooldown between messages, and the word that a workflow works again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts.actors import Actor
from executions.completion import Outcome, complete
from executions.definitions import spec_of
from executions.deliveries import next_due_s
from executions.models import Delivery, Execution
from executions.notify import deliver_due
from executions.resends import delivery_resend
from executions.states import Status
from tests.delivering import deliver_until
from tests.discord_limits import assert_valid
from tests.executing import balance_event, new_address, take_events
from tests.http_stub import Answer, HttpStub
from tests.waiting import wait_for
from workflows.models import Channel, Workflow
from workflows.services.workflow import workflow_create, workflow_enable

pytestmark = pytest.mark.django_db(transaction=True)

# A fiftieth of that, here: two seconds.
WINDOW_S = 100


@pytest.fixture
def make(actor: Actor, channel: Channel) -> Callable[..., Workflow]:
    def make(**notification: Any) -> Workflow:
        told = {"channel": str(channel.id), "on": ["success", "failed"], **notification}
        definition = {"trigger": {"type": "balance_change", "address": new_address()}, "notifications": [told]}
        settings = {"name": "watch", "pause_after_failures": None}
        made = workflow_create(actor=actor, definition=definition, settings=settings, signer_id=None)
        return workflow_enable(actor=actor, workflow=made, enabled_at_slot=0)

    return make


slots = iter(range(10, 10_000))


def end(workflow: Workflow, story: str) -> list[int]:
    """End new executions as one batch: `f` fails, `s` succeeds."""
    watched = workflow.version.definition["trigger"]["address"]
    ids = take_events(workflow, [balance_event(watched, next(slots)) for _ in story])
    kinds = {"f": (Status.FAILED, "build_failed", "no such *mint*"), "s": (Status.SUCCESS, "", "")}
    told = spec_of(workflow.version_id).notifications
    outcomes = [
        Outcome(
            row_id,
            None,
            kinds[kind][0],
            error_code=kinds[kind][1],
            error_detail=kinds[kind][2],
            notifications=told,
        )
        for row_id, kind in zip(ids, story, strict=True)
    ]
    with transaction.atomic():
        complete(outcomes, held=True)
    return ids


def embeds(http_stub: HttpStub) -> list[dict[str, Any]]:
    for request in http_stub.requests:
        assert_valid(request.json)
    return [request.json["embeds"][0] for request in http_stub.requests]


def none_pending() -> bool:
    return not Delivery.objects.filter(status="pending").exists()


def test_a_storm_is_one_message_and_each_execution_says_that_it_was_told(
    make: Callable[..., Workflow], http_stub: HttpStub
) -> None:
    workflow = make(digest_s=3 * WINDOW_S)
    for story in ("ssss", "fs", "s" * 20):
        end(workflow, story)
    assert deliver_due().handled == 0
    due_s = next_due_s()
    assert due_s is not None and 0 < due_s <= 6

    deliver_until(none_pending)

    # One, or two where the end of a window came between the batches.
    said = embeds(http_stub)
    assert len(said) <= 2
    if len(said) == 1:
        (embed,) = said
        assert embed["title"] == "watch: 26 executions"
        assert embed["description"] == "1 failed, 25 succeeded. The newest 15:"
        assert len(embed["fields"]) == 15
    assert set(Delivery.objects.values_list("status", "attempts")) == {("delivered", 1)}
    assert all(one.steps[-1]["name"] == "notified" for one in Execution.objects.all())


def test_a_digest_of_one_is_told_as_if_it_were_none(make: Callable[..., Workflow], http_stub: HttpStub) -> None:
    end(make(digest_s=WINDOW_S, title="Paid"), "s")
    deliver_until(none_pending)
    assert [embed["title"] for embed in embeds(http_stub)] == ["Paid"]


def test_a_digest_that_fails_is_tried_again_with_the_same_in_it_and_what_came_late_goes_alone(
    make: Callable[..., Workflow], http_stub: HttpStub
) -> None:
    end(make(digest_s=WINDOW_S), "sss")
    http_stub.answer_next(Answer(503, {"Retry-After": "1"}))
    wait_for(lambda: next_due_s() == 0, 5, "the window's end")
    deliver_due()
    due_s = next_due_s()
    # Those that go with it are due, and make nobody ask again at once: the first of them says when.
    assert due_s is not None and due_s > 0.3
    first = Delivery.objects.earliest("id")
    assert first.digest is not None
    Delivery.objects.create(
        execution_id=first.execution_id,
        team_id=first.team_id,
        channel=first.channel,
        outcome="success",
        template=first.template,
        digest=first.digest.partition("#")[0],
        next_attempt_at=first.created_at,
    )

    deliver_until(none_pending)

    said = [embed["title"] for embed in embeds(http_stub)]
    assert said == ["watch: 3 executions", "watch succeeded", "watch: 3 executions"]
    assert list(Delivery.objects.order_by("id").values_list("attempts", flat=True)) == [2, 2, 2, 1]


def test_a_digest_that_is_given_up_is_dead_letters_and_one_of_them_can_be_sent_alone(
    make: Callable[..., Workflow], http_stub: HttpStub, actor: Actor
) -> None:
    http_stub.default = Answer.of_json(400, {"code": 50035, "message": "Invalid Form Body"})
    end(make(digest_s=WINDOW_S), "ss")
    deliver_until(none_pending)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"dead"}
    http_stub.default = Answer()
    delivery_resend(actor=actor, delivery=Delivery.objects.latest("id"))
    deliver_until(none_pending)
    assert embeds(http_stub)[-1]["title"] == "watch succeeded"


def test_in_a_cooldown_the_first_is_told_at_once_and_the_rest_at_its_end(
    make: Callable[..., Workflow], http_stub: HttpStub
) -> None:
    workflow = make(cooldown_s=WINDOW_S)
    end(workflow, "fff")
    end(workflow, "f")
    deliver_due()
    assert [embed["title"] for embed in embeds(http_stub)] == ["watch failed"]

    deliver_until(none_pending)

    assert [embed["title"] for embed in embeds(http_stub)] == ["watch failed", "watch: 3 executions"]
    first, second = http_stub.requests
    assert second.at - first.at >= 1.5


def test_a_success_after_failures_is_told_once_also_where_successes_are_not(
    make: Callable[..., Workflow], http_stub: HttpStub
) -> None:
    workflow = make(on=["failed"], recovery_after=2)
    end(workflow, "fs")
    assert set(Delivery.objects.values_list("outcome", flat=True)) == {"failed"}
    end(workflow, "ff")
    end(workflow, "ss")
    end(workflow, "fffss")
    deliver_until(none_pending)
    outcomes = list(Delivery.objects.order_by("id").values_list("outcome", flat=True))
    assert outcomes.count("recovered") == 2
    told = [embed for embed in embeds(http_stub) if embed["title"] == "watch works again"]
    assert {embed["description"].split("\n")[0] for embed in told} == {
        "It succeeded after 2 failures in a row.",
        "It succeeded after 3 failures in a row.",
    }


def test_where_successes_are_told_the_first_after_failures_is_told_as_the_recovery(
    make: Callable[..., Workflow],
) -> None:
    workflow = make(recovery_after=1)
    end(workflow, "f")
    end(workflow, "ss")
    assert list(Delivery.objects.order_by("id").values_list("outcome", flat=True)) == ["failed", "recovered", "success"]
