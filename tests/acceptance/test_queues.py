"""Each purpose with a worker of its own: everything is done, by whom it should be, and what nobody does is named."""

from __future__ import annotations

import pytest
from celery import current_app
from django.contrib.auth import get_user_model
from django.test import Client
from django_celery_results.models import TaskResult

from accounts.actors import system
from accounts.services import default_team
from executions.models import Delivery
from solflow.doctor.servers import queues
from tests.executing import SOL, balance_event, new_address, take_events
from tests.stack import Stack
from tests.waiting import wait_for
from workflows.services.channel import channel_create
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create, workflow_enable

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


def test_workers_of_one_purpose_each_pay_and_tell(stack: Stack):
    actor = system(default_team(), "test")
    signer = signer_create(actor=actor, name="treasury")
    stack.chain.airdrop(signer.address, 10 * SOL)
    config = {"webhook_url": stack.receiver.discord_url()}
    channel = channel_create(actor=actor, name="ops", type="discord", config=config)
    watched = new_address()
    definition = {
        "trigger": {"type": "balance_change", "address": watched},
        "actions": [{"type": "transfer_sol", "to": new_address(), "lamports": 900_000}],
        "notifications": [{"channel": str(channel.id), "on": ["success", "failed"]}],
    }
    made = workflow_create(actor=actor, definition=definition, settings={"name": "pays"}, signer_id=signer.id)
    workflow = workflow_enable(actor=actor, workflow=made, enabled_at_slot=0)
    for name in ("confirmations", "executions", "notifications"):
        stack.another_worker(name, name)
    stack.start("confirmations", "executions", "notifications", "beat")
    take_events(workflow, [balance_event(watched, 10)])
    wait_for(lambda: Delivery.objects.filter(status="delivered").exists(), 30, "a message")

    (unserved,) = queues()
    assert (unserved.subject, unserved.advice) == ("queue maintenance", "start one with -Q maintenance")


def test_only_results_of_maintenance_are_kept_and_the_admin_shows_them(stack: Stack, client: Client):
    stack.start("worker", "beat")
    current_app.send_task("executions.tidy")
    wait_for(lambda: TaskResult.objects.filter(task_name="executions.tidy").exists(), 20, "its result")
    assert list(queues()) == []
    # Beat has called for everything else meanwhile.
    assert set(TaskResult.objects.values_list("task_name", "status")) == {("executions.tidy", "SUCCESS")}
    client.force_login(get_user_model().objects.create_superuser(username="root", password="x"))
    assert "executions.tidy" in client.get("/admin/django_celery_results/taskresult/").content.decode()
