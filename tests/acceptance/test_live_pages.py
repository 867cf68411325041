"""Open pages hear what changes: over real sockets, from the real web process, with Redis that comes and goes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests

from accounts.models import Member, Role, Team
from accounts.sessions import SessionStore
from executions.models import Execution
from tests.executing import balance_event, new_address, take_events
from tests.people import Person, person
from tests.services import Services
from tests.stack import Stack
from tests.waiting import wait_for
from workflows.models import Workflow
from workflows.services import workflow_create, workflow_enable

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 20
EVERYTHING = "*"


class Tab:
    """An open page's stream, as a browser reads it."""

    def __init__(self, stack: Stack, who: Person, topics: str = "executions", since: str = "") -> None:
        self.session = requests.Session()
        self.session.get(f"{stack.url}/login/", timeout=PATIENCE_S)
        form = {
            "username": who.user.get_username(),
            "password": "correct horse battery staple",
            "csrfmiddlewaretoken": self.session.cookies["csrftoken"],
        }
        assert self.session.post(f"{stack.url}/login/", form, timeout=PATIENCE_S).ok
        self.url = f"{stack.url}/events/stream"
        self.position = since
        self.open(topics)

    def open(self, topics: str = "executions") -> Tab:
        self.response = self.session.get(
            self.url,
            params={"topics": topics},
            headers={"Last-Event-ID": self.position} if self.position else {},
            stream=True,
            timeout=PATIENCE_S,
        )
        assert self.response.status_code == 200
        self.lines = self._lines()
        return self

    def _lines(self) -> Iterator[str]:
        yield from self.response.iter_lines(chunk_size=1, decode_unicode=True)

    def change(self) -> str:
        """The next change that is told by name."""
        while (told := self._told()) == EVERYTHING:
            pass
        return told

    def is_on(self) -> Tab:
        """Once it is told to look at everything, as a page is that nobody knows: what happens from now on is heard."""
        assert self._told() == EVERYTHING
        return self

    def _told(self) -> str:
        for line in self.lines:
            if line.startswith("id: "):
                self.position = line[4:]
            if line.startswith("data: "):
                return line[6:]
        raise AssertionError("the stream ended")

    def ends(self) -> bool:
        """Whether the server closes it, before the patience of a read is over."""
        for _ in self.lines:
            pass
        return True


@pytest.fixture
def alice() -> Person:
    return person("alice", Role.ADMIN)


@pytest.fixture
def web(stack: Stack) -> Stack:
    return stack.start("web")


def workflow_of(who: Person) -> Workflow:
    definition = {"schema": 1, "trigger": {"type": "balance_change", "address": new_address()}, "actions": []}
    made = workflow_create(actor=who.actor, definition=definition, settings={"name": "Watch"}, signer_id=None)
    return workflow_enable(actor=who.actor, workflow=made, enabled_at_slot=1)


def something_happens(workflow: Workflow) -> Execution:
    (row_id,) = take_events(workflow, [balance_event(new_address(), time.time_ns() // 1000)])
    return Execution.objects.get(pk=row_id)


def test_a_change_reaches_the_pages_of_its_team_and_no_other(web: Stack, alice: Person) -> None:
    ours, charlie = workflow_of(alice), person("charlie", Role.ADMIN, Team.objects.create(name="Others"))
    here, there = Tab(web, alice).is_on(), Tab(web, charlie, "executions,execution:0").is_on()
    execution = something_happens(ours)
    assert here.change() == "executions"
    theirs = something_happens(workflow_of(charlie))
    there.open(f"executions,execution:{execution.pk},execution:{theirs.pk}")
    # What charlie missed is his own alone.
    assert there.change() == f"execution:{theirs.pk} executions"


def test_a_page_that_comes_back_is_told_what_it_missed(web: Stack, alice: Person) -> None:
    workflow, tab, other = workflow_of(alice), Tab(web, alice).is_on(), Tab(web, alice).is_on()
    something_happens(workflow)
    assert tab.change() == "executions"
    tab.response.close()
    assert other.change() == "executions"
    something_happens(workflow)
    # Once the other page has heard it, the change was told without this one.
    assert other.change() == "executions"
    assert tab.open().change() == "executions"


def test_redis_may_go_and_come_back(web: Stack, alice: Person, services: Services) -> None:
    workflow, tab = workflow_of(alice), Tab(web, alice).is_on()
    services.redis.stop()
    services.redis.start()
    assert tab.is_on()
    something_happens(workflow)
    assert tab.change() == "executions"


def test_who_signs_out_or_leaves_the_team_is_told_nothing_more(web: Stack, alice: Person) -> None:
    bob = person("bob", Role.VIEWER)
    tabs = [Tab(web, alice), Tab(web, bob)]
    SessionStore(tabs[0].session.cookies["sessionid"]).delete()
    Member.objects.filter(user=bob.user).delete()
    for tab in tabs:
        assert tab.ends()
        assert tab.session.get(tab.url, timeout=PATIENCE_S).status_code == 403


def test_a_stranger_gets_no_stream(web: Stack) -> None:
    assert requests.get(f"{web.url}/events/stream", timeout=PATIENCE_S).status_code == 403


def test_the_server_stops_at_once_although_pages_are_open(web: Stack, alice: Person) -> None:
    tabs = [Tab(web, alice).is_on() for _ in range(3)]
    started = time.monotonic()
    web.web.stop()
    assert time.monotonic() - started < 2.5
    assert all(tab.ends() for tab in tabs)
    assert wait_for(lambda: not web.web.running, 1, "the web process has ended")
