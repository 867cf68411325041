"""The versions of a workflow: what changed, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.integration.pages.conftest import browser, paying, text_of
from tests.people import Person
from workflows.models import Channel, Workflow
from workflows.services import draft_save, workflow_update


@pytest.fixture
def twice(make: Callable[..., Workflow], channel: Channel, alice: Person) -> Workflow:
    """A workflow whose second version pays less and writes a memo."""
    workflow = make(enabled=False)
    second = paying(channel)
    second["actions"] = [{**second["actions"][0], "lamports": 500_000}, {"type": "memo", "text": "paid"}]
    return workflow_update(actor=alice.actor, workflow=workflow, changes={"definition": second})


def at(workflow: Workflow, **parameters: Any) -> str:
    return reverse("workflows:versions", args=[workflow.id], query=parameters)


def told(response: Any) -> list[tuple[str, str]]:
    return [(change.where, change.word) for change in response.context["changes"]]


def test_a_version_is_compared_with_the_one_before_it_in_words(twice: Workflow, carol: Person) -> None:
    page = browser(carol).get(at(twice))
    assert told(page) == [("Action 1", "changed"), ("Action 2", "added")]
    text = text_of(page)
    assert "<del>0.0009 SOL</del>" in text and "<ins>0.0005 SOL</ins>" in text
    assert "Return to version" not in text


def test_the_first_version_is_compared_with_nothing(twice: Workflow, pages: Client) -> None:
    page = pages.get(at(twice, version=1))
    assert told(page) == [("Trigger", "added"), ("Action 1", "added"), ("Notification 1", "added")]


def test_any_two_versions_can_be_compared(twice: Workflow, pages: Client) -> None:
    assert told(pages.get(at(twice, version=1, against=2))) == [("Action 1", "changed"), ("Action 2", "removed")]


def test_a_draft_is_compared_with_what_is_published_by_what_it_means(
    twice: Workflow, alice: Person, pages: Client
) -> None:
    draft_save(
        actor=alice.actor,
        workflow=twice,
        change=lambda held: {**held, "actions": [{**held["actions"][0], "lamports": "0.0005 SOL"}]},
    )
    assert told(pages.get(at(twice))) == [("Action 2", "removed")]


def test_one_click_publishes_an_earlier_version_again_and_leaves_the_draft(
    twice: Workflow, alice: Person, pages: Client
) -> None:
    draft_save(actor=alice.actor, workflow=twice, change=lambda held: {**held, "filter": {}})
    page = pages.post(reverse("workflows:return", args=[twice.id, 1]), follow=True)
    assert "Version 3 is published. It is what version 1 was." in text_of(page)
    twice.refresh_from_db()
    assert twice.version is not None and twice.version.definition["actions"][0]["lamports"] == 900_000
    assert twice.draft is not None


def test_an_earlier_version_can_be_taken_into_the_draft(twice: Workflow, pages: Client) -> None:
    page = pages.post(reverse("workflows:return", args=[twice.id, 1]), {"into": "draft"}, follow=True)
    assert "The draft is version 1 now" in text_of(page)
    twice.refresh_from_db()
    assert twice.version is not None and twice.version.number == 2
    assert twice.draft is not None and len(twice.draft["actions"]) == 1


def test_returning_to_what_is_published_changes_nothing(twice: Workflow, pages: Client) -> None:
    assert "published already" in text_of(pages.post(reverse("workflows:return", args=[twice.id, 2]), follow=True))
    assert twice.versions.count() == 2


def test_a_version_that_is_not_there_is_404(twice: Workflow, pages: Client) -> None:
    for parameters in ({"version": 9}, {"against": 77}, {"version": 1, "against": 5}):
        assert pages.get(at(twice, **parameters)).status_code == 404
    for text in ("x", "-1", "9" * 30, ""):
        assert pages.get(at(twice, version=text)).status_code == 200
    assert pages.post(reverse("workflows:return", args=[twice.id, 9])).status_code == 404


def test_only_those_who_edit_return(twice: Workflow, bob: Person) -> None:
    assert browser(bob).post(reverse("workflows:return", args=[twice.id, 1])).status_code == 403
