"""How often anybody may knock, counted so that nobody chooses by what, and many at once count as many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from accounts import rates, signins
from accounts.models import AuditEntry, Role
from accounts.throttling import TokenThrottle
from tests.people import Person, person

URL = "/api/v1/workflows/"


@pytest.fixture(autouse=True)
def nothing_counted(services: object) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice(db: None) -> Person:
    return person("alice", Role.ADMIN)


@pytest.fixture
def three_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenThrottle, "THROTTLE_RATES", dict.fromkeys(("token", "stranger", "refused"), "3/minute"))


def statuses(client: APIClient, times: int, **headers: str) -> list[int]:
    return [client.get(URL, **headers).status_code for _ in range(times)]


def with_token(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client


def test_wrong_tokens_are_counted_by_the_address_that_tries_them(db: None, three_a_minute: None) -> None:
    assert statuses(with_token("sf_wrong"), 4) == [401, 401, 401, 429]
    assert statuses(with_token("sf_other"), 1) == [429]
    assert statuses(with_token("sf_wrong"), 1, REMOTE_ADDR="198.51.100.7") == [401]


def test_requests_without_a_token_are_counted_too(db: None, three_a_minute: None) -> None:
    assert statuses(APIClient(), 4) == [401, 401, 401, 429]


def test_what_a_token_may_not_do_is_counted_as_what_it_may(alice: Person, three_a_minute: None) -> None:
    client = alice.client("read")
    answers = [client.post(URL, {}, format="json").status_code for _ in range(4)]
    assert answers == [403, 403, 403, 429]


def test_guesses_from_an_address_take_nothing_from_a_token_that_is_used_there(
    alice: Person, three_a_minute: None
) -> None:
    statuses(with_token("sf_wrong"), 10)
    assert statuses(alice.client(), 4) == [200, 200, 200, 429]


def test_a_request_is_counted_once(alice: Person, three_a_minute: None) -> None:
    assert statuses(alice.client(), 3) == [200, 200, 200]


def test_a_client_does_not_choose_by_which_address_it_is_counted(db: None, three_a_minute: None) -> None:
    client = with_token("sf_wrong")
    claimed = [client.get(URL, HTTP_X_FORWARDED_FOR=f"203.0.113.{n}").status_code for n in range(4)]
    assert claimed[-1] == 429


def test_a_network_of_ipv6_addresses_is_one_client(db: None, three_a_minute: None) -> None:
    client = with_token("sf_wrong")
    assert [client.get(URL, REMOTE_ADDR=f"2001:db8::{n}").status_code for n in range(4)][-1] == 429
    assert statuses(client, 1, REMOTE_ADDR="2001:db8:0:1::1") == [401]


def test_of_many_at_once_every_one_is_counted(services: object) -> None:
    together = threading.Barrier(8)

    def knock(_: int) -> list[int]:
        together.wait()
        return [rates.count("door", 60).number for _ in range(25)]

    with ThreadPoolExecutor(8) as pool:
        numbers = [number for some in pool.map(knock, range(8)) for number in some]
    assert sorted(numbers) == list(range(1, 201))


def test_a_window_ends_and_says_when(services: object) -> None:
    first = rates.count("door", 30)
    assert (first.number, 29 < first.left_s <= 30) == (1, True)
    cache._cache.get_client().pexpire(cache.make_key("door"), 1)  # type: ignore[attr-defined]
    while rates.count("door", 0.001).number > 1:
        pass


def test_without_redis_the_api_answers_everybody(alice: Person, three_a_minute: None, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    assert statuses(alice.client(), 4) == [200] * 4


def guess(name: str, **extra: Any) -> None:
    Client().post("/login/", {"username": name, "password": "wrong"}, **extra)


def refusals() -> list[dict[str, Any]]:
    return list(AuditEntry.objects.filter(action="login_failed").order_by("id").values_list("detail", flat=True))


def test_guesses_write_few_entries_that_say_how_many_there_were(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signins, "TOLD_OF_NAME", 3)
    for _ in range(13):
        guess("alice")
    assert [detail["attempts"] for detail in refusals()] == [1, 2, 3, 6, 12]


def test_another_name_for_each_guess_writes_no_more(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signins, "TOLD_OF_ADDRESS", 4)
    for number in range(17):
        guess(f"name{number}")
    assert [detail["attempts"] for detail in refusals()] == [1, 1, 1, 1, 8, 16]


def test_another_address_for_each_guess_writes_no_more(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signins, "TOLD_OF_ALL", 2)
    for number in range(9):
        guess("alice", REMOTE_ADDR=f"198.51.100.{number}")
    assert refusals() == [
        {"attempts": 1},
        {"attempts": 1},
        {"attempts": 4, "of": "everybody"},
        {"attempts": 8, "of": "everybody"},
    ]


def test_one_who_floods_hides_nobody_else(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signins, "TOLD_OF_ALL", 12)
    for _ in range(30):
        guess("alice")
    guess("alice", REMOTE_ADDR="198.51.100.7")
    assert AuditEntry.objects.filter(action="login_failed", address="198.51.100.7").exists()
