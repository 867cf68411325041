"""What no part tells open pages of, they are told by the look that is made for all of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actors import system
from accounts.models import Role, Team
from executions.models import Heartbeat
from executions.pauses import installation_pause
from listener.models import Gap, Subscription
from solflow.live.standing import EVERYBODY, changed, standing
from tests.people import Person, person
from workflows.models import Workflow
from workflows.services import channel_create, signer_create, signer_pause, workflow_create, workflow_pause
from workflows.services.channel_health import channel_switch_off

# Looking closes the connection, as it does in its thread.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice() -> Person:
    return person("alice", Role.ADMIN)


def workflow_of(who: Person) -> Workflow:
    definition = {"schema": 1, "trigger": {"type": "manual"}, "actions": []}
    return workflow_create(actor=who.actor, definition=definition, settings={"name": "Watch"}, signer_id=None)


def test_what_changes_in_a_team_is_told_to_that_team_alone(alice: Person) -> None:
    charlie = person("charlie", Role.ADMIN, Team.objects.create(name="Others"))
    before = standing()
    workflow = workflow_of(alice)
    signer = signer_create(actor=alice.actor, name="treasury")
    channel = channel_create(actor=alice.actor, name="ops", type="webhook", config={"url": "https://example.com/"})
    for change in (
        lambda: workflow_pause(actor=alice.actor, workflow=workflow, reason=""),
        lambda: signer_pause(actor=alice.actor, signer=signer, reason=""),
        lambda: channel_switch_off(actor=alice.actor, channel=channel, reason="gone"),
    ):
        change()
        now = standing()
        assert changed(before, now) == [alice.actor.team.pk]
        before = now
    workflow_of(charlie)
    assert changed(before, standing()) == [charlie.actor.team.pk]


def test_what_concerns_all_is_told_to_all(alice: Person) -> None:
    before = standing()
    subscription = Subscription.objects.create(
        digest="d", kind="account", address="a", commitment="confirmed", genesis_hash="g", events_seen=1
    )
    for change in (
        lambda: Gap.objects.create(subscription=subscription, from_slot=1, to_slot=9, status="open", reason="restart"),
        lambda: Gap.objects.update(status="lost"),
        lambda: Heartbeat.objects.create(name="listener-0", kind="listener", at=timezone.now(), detail={}),
        lambda: Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=1)),
        lambda: installation_pause(actor=system(alice.actor.team, "test"), reason="Look"),
    ):
        change()
        now = standing()
        assert changed(before, now) == [EVERYBODY]
        before = now


def test_nothing_is_told_while_nothing_changes_or_the_database_is_away(alice: Person) -> None:
    workflow_of(alice)
    assert changed(standing(), standing()) == []
    assert changed({}, standing()) == changed(standing(), {}) == []
