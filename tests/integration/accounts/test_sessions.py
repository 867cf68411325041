"""The browsers in which a person is signed in: seen with their address, ended one by one or all at once."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Role, Session
from accounts.sessions import SessionStore, digest_of
from tests.people import Person, person

PASSWORD = "correct horse battery staple"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.fixture
def alice(db: None) -> Person:
    return person("alice", Role.ADMIN)


def browser(name: str = "alice", **headers: str) -> Client:
    client = Client(**headers)
    assert client.post("/login/", {"username": name, "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def test_each_browser_is_listed_with_its_kind_and_address(alice: Person) -> None:
    here = browser(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.1")
    browser(HTTP_USER_AGENT=IPHONE, REMOTE_ADDR="2001:db8::7")
    text = here.get("/settings/").content.decode()
    for shown in ("Firefox on Linux", "192.0.2.1", "Safari on iPhone", "2001:db8::7"):
        assert shown in text
    assert text.count("this one") == 1


def test_one_is_ended_and_the_others_stay(alice: Person) -> None:
    here, there, third = browser(), browser(), browser()
    assert here.post(f"/settings/sessions/{digest_of(key_of(there))}/end/").status_code == 302
    assert [is_in(client) for client in (here, there, third)] == [True, False, True]
    assert AuditEntry.objects.get(action="sessions_ended").detail == {"count": 1}


def test_all_others_are_ended_at_once(alice: Person) -> None:
    here, there, third = browser(), browser(), browser()
    here.post("/settings/sessions/end/")
    assert [is_in(client) for client in (here, there, third)] == [True, False, False]


def test_ending_ones_own_is_signing_out(alice: Person) -> None:
    here = browser()
    assert here.post(f"/settings/sessions/{digest_of(key_of(here))}/end/").url == "/login/"
    assert not is_in(here)


def test_nobody_ends_the_session_of_somebody_else(alice: Person) -> None:
    person("bob", Role.ADMIN)
    hers, his = browser(), browser("bob")
    assert his.post(f"/settings/sessions/{digest_of(key_of(hers))}/end/").status_code == 404
    his.post("/settings/sessions/end/")
    assert is_in(hers)
    assert "this one" in his.get("/settings/").content.decode()
    assert digest_of(key_of(hers)) not in his.get("/settings/").content.decode()


def test_a_new_password_ends_the_others_and_takes_them_off_the_list(alice: Person) -> None:
    here, there = browser(), browser()
    new = {"new_password1": "a horse of another battery", "new_password2": "a horse of another battery"}
    here.post("/settings/password/", {"old_password": PASSWORD, **new})
    assert (is_in(here), is_in(there)) == (True, False)
    assert Session.objects.filter(user=alice.user).count() == 1


def test_a_deleted_session_does_not_come_back_with_its_cookie(alice: Person) -> None:
    here = browser()
    Session.objects.all().delete()
    assert not is_in(here)
    assert not Session.objects.filter(user__isnull=False).exists()


def test_the_table_holds_no_key_that_a_cookie_could_carry(alice: Person) -> None:
    here = browser()
    kept = Session.objects.get(user=alice.user)
    assert key_of(here) not in f"{kept.session_key} {kept.session_data}"
    thief = Client()
    thief.cookies["sessionid"] = kept.session_key
    assert not is_in(thief)


def test_when_it_was_seen_is_written_once_a_minute(alice: Person, django_assert_num_queries: Any) -> None:
    here = browser()
    first = Session.objects.get(user=alice.user).seen_at
    here.get("/settings/")
    assert Session.objects.get(user=alice.user).seen_at == first
    store = SessionStore(key_of(here))
    store["seen"] = {**store["seen"], "at": store["seen"]["at"] - 100}
    store.save()
    here.get("/settings/", REMOTE_ADDR="192.0.2.99")
    seen = Session.objects.get(user=alice.user)
    assert (seen.address, seen.seen_at is not None and seen.seen_at >= first) == ("192.0.2.99", True)


def test_expired_sessions_are_not_listed_and_are_cleared(alice: Person) -> None:
    here = browser()
    browser()
    Session.objects.exclude(session_key=digest_of(key_of(here))).update(expire_date=timezone.now())
    assert here.get("/settings/").content.decode().count("/end/") == 1
    call_command("clearsessions")
    assert Session.objects.count() == 1


async def _walk() -> tuple[Any, bool, bool, Any]:
    store = SessionStore()
    await store.aset("a", 1)
    await store.acreate()
    key = store.session_key
    await store.asave()
    read = await SessionStore(key).aget("a")
    there = await store.aexists(key)
    await store.adelete(key)
    return read, there, await store.aexists(key), await SessionStore(key).aget("a")


@pytest.mark.django_db(transaction=True)
def test_asynchronous_views_find_the_same_sessions() -> None:
    assert async_to_sync(_walk)() == (1, True, False, None)
