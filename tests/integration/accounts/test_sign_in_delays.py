"""Guessing passwords is slow, for whoever guesses and for nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts import sign_in_delays
from accounts.models import Role
from accounts.sign_in_delays import DEVICE_COOKIE, FREE
from tests.people import Person, person

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    cache.clear()
    sign_in_delays._here.clear()
    yield
    cache.clear()


@pytest.fixture
def alice(db: None) -> Person:
    return person("alice", Role.ADMIN)


def sign_in(client: Client, password: str, name: str = "alice", **extra: Any) -> Any:
    return client.post("/login/", {"username": name, "password": password}, **extra)


def guess(times: int, client: Client | None = None, **extra: Any) -> Any:
    client = client or Client()
    for number in range(times):
        response = sign_in(client, f"wrong {number}", **extra)
    return response


def test_after_the_free_ones_even_the_right_password_has_to_wait(alice: Person) -> None:
    assert "Try again in" not in guess(FREE).content.decode()
    assert "Try again in" in guess(1).content.decode()
    assert sign_in(Client(), PASSWORD).status_code == 200


def test_the_admins_door_counts_too(alice: Person) -> None:
    for _ in range(FREE + 1):
        Client().post("/admin/login/", {"username": "alice", "password": "wrong"})
    assert sign_in(Client(), PASSWORD).status_code == 200


def test_a_stranger_elsewhere_does_not_lock_anybody_out(alice: Person) -> None:
    guess(FREE + 3, REMOTE_ADDR="198.51.100.7")
    assert sign_in(Client(), PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 302


def test_behind_one_proxy_a_browser_that_has_signed_in_before_still_gets_in(alice: Person) -> None:
    known = Client()
    assert sign_in(known, PASSWORD).status_code == 302
    known.post("/logout/")
    guess(FREE + 3)
    assert sign_in(Client(), PASSWORD).status_code == 200
    assert sign_in(known, PASSWORD).status_code == 302


def test_a_known_browser_is_counted_too_and_a_made_up_one_is_a_stranger(alice: Person) -> None:
    known = Client()
    sign_in(known, PASSWORD)
    known.post("/logout/")
    guess(FREE + 1, known)
    assert sign_in(known, PASSWORD).status_code == 200
    forged = Client()
    forged.cookies[DEVICE_COOKIE] = "WyJhIiwiYiJd:1abc:forged"
    guess(FREE + 1, forged)
    assert "Try again in" in sign_in(forged, PASSWORD).content.decode()


def test_a_browser_known_for_one_name_is_a_stranger_to_others(alice: Person) -> None:
    person("bob", Role.ADMIN)
    known = Client()
    sign_in(known, PASSWORD, "bob")
    known.post("/logout/")
    guess(FREE + 1, known)
    assert sign_in(Client(), PASSWORD).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_no_more_are_judged_than_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    person("alice", Role.ADMIN)
    judged: list[str] = []
    real = sign_in_delays.ModelBackend.authenticate

    def counting(self: Any, request: Any, username: Any = None, password: Any = None, **more: Any) -> Any:
        judged.append(password)
        return real(self, request, username=username, password=password, **more)

    monkeypatch.setattr(sign_in_delays.ModelBackend, "authenticate", counting)

    def one(number: int) -> None:
        sign_in(Client(), f"wrong {number}")
        connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(judged) <= FREE + 1


def test_without_redis_the_process_counts_by_itself(alice: Person, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    guess(FREE + 1)
    assert sign_in(Client(), PASSWORD).status_code == 200
