"""Passkeys: made for a code, taken instead of one, each answer once, and none that a stranger could give."""

from __future__ import annotations

import html
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from fido2.webauthn import AttestedCredentialData

from accounts import sign_in_delays
from accounts.models import AuditEntry, Passkey, PasskeyChallenge, Role, SecondFactor
from accounts.second_factor import passkeys, services, totp
from accounts.second_factor.ceremonies import LONGEST_ANSWER, Site
from accounts.sign_in_delays import FREE
from tests.authenticator import PRESENT, Authenticator
from tests.people import Person, person

PASSWORD = "correct horse battery staple"
HERE = Site("http://localhost")


@pytest.fixture(autouse=True)
def nothing_counted(services: object) -> Iterator[None]:
    cache.clear()
    sign_in_delays._here.clear()
    yield
    cache.clear()


def now_code(who: Person, later: int = 0) -> str:
    seed = services.seed_of(SecondFactor.objects.get(user=who.user))
    return totp.code_at(seed, int(time.time()) // totp.PERIOD_S + later)


def with_codes(name: str) -> tuple[Person, list[str]]:
    """Somebody whose second factor is on, with their recovery codes."""
    who = person(name, Role.ADMIN)
    services.second_factor_begin(user=who.user)
    return who, services.second_factor_enable(actor=who.actor, user=who.user, code=now_code(who))


@pytest.fixture
def alice(db: None) -> Person:
    return with_codes("alice")[0]


def added(who: Person, key: Authenticator, name: str = "Laptop") -> Passkey:
    """A passkey of somebody's, made past the pages."""
    made = key.credential
    return Passkey.objects.create(
        user=who.user, name=name, rp_id=HERE.rp_id, credential_id=key.id, credential=bytes(made), sign_count=key.count
    )


@pytest.fixture
def key(alice: Person) -> Authenticator:
    key = Authenticator()
    added(alice, key)
    return key


def browser() -> Client:
    return Client(headers={"host": "localhost"})


def password(client: Client, name: str = "alice") -> Any:
    return client.post("/login/", {"username": name, "password": PASSWORD})


def options(page: Any) -> str:
    """What the page hands to the browser."""
    found = re.search(r'data-options="([^"]*)"', page.content.decode())
    assert found, "the page asks for no passkey"
    return html.unescape(found[1])


def second_step(name: str = "alice") -> tuple[Client, str]:
    client = browser()
    password(client, name)
    return client, options(client.get("/login/code/"))


def answer(client: Client, text: str) -> Any:
    return client.post("/login/code/", {"answer": text})


def is_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def signed_in(who: Person) -> Client:
    client = browser()
    password(client, str(who.user))
    client.post("/login/code/", {"code": now_code(who, later=1)})
    assert is_in(client)
    return client


def recovery(who: Person) -> Callable[[], str]:
    """One unused recovery code after the other."""
    codes = services.second_factor_renew_codes(actor=who.actor, user=who.user, code=now_code(who, later=1))
    return iter(codes).__next__


def test_a_passkey_opens_the_door_instead_of_a_code(alice: Person, key: Authenticator) -> None:
    client = browser()
    client.post("/login/?next=/workflows/", {"username": "alice", "password": PASSWORD})
    asked = options(client.get("/login/code/"))
    assert answer(client, key.sign_in(asked)).url == "/workflows/"
    assert is_in(client)
    row = Passkey.objects.get()
    assert row.sign_count == 1 and row.last_used_at is not None
    assert not PasskeyChallenge.objects.exists()


def test_user_verification_is_preferred_and_only_what_is_here_is_asked_for(alice: Person, key: Authenticator) -> None:
    elsewhere = added(alice, Authenticator(), "elsewhere")
    Passkey.objects.filter(pk=elsewhere.pk).update(rp_id="solflow.example.com")
    asked = json.loads(second_step()[1])
    assert asked["userVerification"] == "preferred" and asked["rpId"] == "localhost"
    assert len(asked["allowCredentials"]) == 1


def test_codes_and_recovery_codes_still_work_beside_a_passkey(key: Authenticator, alice: Person) -> None:
    code = recovery(alice)
    client, _ = second_step()
    assert client.post("/login/code/", {"code": code()}).status_code == 302
    client, _ = second_step()
    assert client.post("/login/code/", {"code": now_code(alice, later=2)}).status_code in (302, 422)
    client, _ = second_step()
    assert client.post("/login/code/", {"code": code()}).status_code == 302


def test_who_has_no_passkey_is_asked_for_a_code_alone(alice: Person) -> None:
    client = browser()
    password(client)
    assert "data-passkey" not in client.get("/login/code/").content.decode()


def test_at_an_address_without_a_name_no_passkey_is_asked_for(alice: Person, key: Authenticator) -> None:
    Passkey.objects.update(rp_id="127.0.0.1")
    client = Client(headers={"host": "127.0.0.1"})
    password(client)
    assert "data-passkey" not in client.get("/login/code/").content.decode()


WRONG: dict[str, dict[str, Any]] = {
    "another challenge": {"challenge": b"0" * 32},
    "an empty challenge": {"challenge": b""},
    "another site": {"origin": "https://evil.example"},
    "another port": {"origin": "http://localhost:8001"},
    "a name under ours": {"origin": "http://sub.localhost"},
    "another scheme": {"origin": "https://localhost"},
    "a frame of another site": {"cross_origin": True},
    "another name signed": {"rp_id": "evil.example"},
    "nobody present": {"flags": 0},
    "the other ceremony": {"type": "webauthn.create"},
    "no signature": {"signature": b""},
    "somebody's signature": {"signature": b"0" * 70},
}


@pytest.mark.parametrize("told", WRONG.values(), ids=WRONG.keys())
def test_an_answer_that_is_wrong_in_one_way_opens_nothing(
    told: dict[str, Any], alice: Person, key: Authenticator
) -> None:
    client, asked = second_step()
    refused = answer(client, key.sign_in(asked, **told))
    assert refused.status_code == 422 and "That passkey was not accepted" in refused.content.decode()
    assert not is_in(client)
    assert AuditEntry.objects.filter(action="login_failed").latest("id").detail["password"] == "right"
    assert answer(client, key.sign_in(options(refused))).status_code == 302


HOSTILE = [
    "",
    "null",
    "[]",
    "{}",
    "0",
    '"x"',
    "{",
    "\x00",
    "[" * 5000,
    '{"a":' * 2000,
    "é" * LONGEST_ANSWER,
    "x" * 10**5,
]
HOSTILE += [
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": one}) for one in (None, [], {}, "")
]
HOSTILE += [json.dumps({"id": "AA", "rawId": "AB", "type": "x", "response": {"clientDataJSON": "e30"}})]
FIELDS = ["id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_rubbish_breaks_the_door(text: str, alice: Person, key: Authenticator) -> None:
    client, _ = second_step()
    assert answer(client, text).status_code == 422
    assert not is_in(client)


@pytest.mark.parametrize("field", FIELDS)
def test_no_part_of_an_answer_may_be_left_out_or_be_anything_else(
    field: str, alice: Person, key: Authenticator
) -> None:
    for value in (None, 1, [], {}, "", "AA", "!", "e30", "oWFh" * 500, True):
        sign_in_delays._here.clear()
        cache.clear()
        client, asked = second_step()
        told = json.loads(key.sign_in(asked))
        (told if field in told else told["response"])[field] = value
        assert answer(client, json.dumps(told)).status_code == 422, value
        assert not is_in(client)


def test_an_answer_opens_one_door_once(alice: Person, key: Authenticator) -> None:
    client, asked = second_step()
    text = key.sign_in(asked)
    other, _ = second_step()
    assert answer(other, text).status_code == 422
    assert answer(client, text).status_code == 302
    client.post("/logout/")
    password(client)
    assert answer(client, text).status_code == 422
    assert answer(client, text).status_code == 422
    assert not is_in(client) and not is_in(other)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_show_one_answer_at_once_one_gets_in() -> None:
    alice, key = with_codes("alice")[0], Authenticator()
    added(alice, key)
    asked = passkeys.passkey_ask(user=alice.user, site=HERE)
    assert asked is not None
    text, together, taken = key.sign_in(asked.options, count=0), threading.Barrier(6), []

    def show() -> None:
        together.wait()
        shown = {"challenge_id": str(asked.challenge_id), "answer": text, "address": None}
        taken.append(passkeys.passkey_check(user=alice.user, site=HERE, **shown))
        connection.close()

    threads = [threading.Thread(target=show) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 5 + [True]


def test_a_passkey_of_somebody_else_opens_nothing(alice: Person, key: Authenticator) -> None:
    mallory, _ = with_codes("mallory")
    hers = Authenticator()
    added(mallory, hers)
    client, asked = second_step()
    assert answer(client, hers.sign_in(asked)).status_code == 422
    # Nor with the name of alice's on it.
    hers.id = key.id
    client, asked = second_step()
    assert answer(client, hers.sign_in(asked)).status_code == 422
    assert not is_in(client)


def test_a_challenge_of_somebody_else_is_none(alice: Person, key: Authenticator) -> None:
    mallory, _ = with_codes("mallory")
    added(mallory, Authenticator())
    asked = passkeys.passkey_ask(user=mallory.user, site=HERE)
    assert asked is not None
    shown = {"challenge_id": str(asked.challenge_id), "answer": key.sign_in(asked.options), "address": None}
    assert not passkeys.passkey_check(user=alice.user, site=HERE, **shown)


def test_a_challenge_to_register_opens_no_door(alice: Person, key: Authenticator) -> None:
    asked = passkeys.passkey_begin(user=alice.user, site=HERE, name="New", code=now_code(alice, later=1))
    text = key.sign_in(json.dumps({**json.loads(asked.options), "rpId": "localhost"}))
    shown = {"challenge_id": str(asked.challenge_id), "answer": text, "address": None}
    assert not passkeys.passkey_check(user=alice.user, site=HERE, **shown)


def test_an_answer_that_comes_too_late_is_none(alice: Person, key: Authenticator) -> None:
    client, asked = second_step()
    PasskeyChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert answer(client, key.sign_in(asked)).status_code == 422


@pytest.mark.parametrize("count", [5, 4, 0])
def test_a_count_that_has_not_grown_is_refused_and_told(count: int, alice: Person, key: Authenticator) -> None:
    client, asked = second_step()
    answer(client, key.sign_in(asked, count=5))
    client, asked = second_step()
    assert answer(client, key.sign_in(asked, count=count)).status_code == 422
    assert not is_in(client)
    entry = AuditEntry.objects.get(action="passkey_refused")
    assert (entry.actor, entry.target_name) == ("stranger", "alice")
    assert entry.detail == {"passkey": "Laptop", "count": count, "after": 5}
    assert Passkey.objects.get().sign_count == 5


def test_an_authenticator_that_counts_nothing_is_taken_again_and_again(alice: Person, key: Authenticator) -> None:
    for _ in range(2):
        client, asked = second_step()
        assert answer(client, key.sign_in(asked, count=0)).status_code == 302


def test_wrong_answers_cost_the_time_that_wrong_codes_cost(alice: Person, key: Authenticator) -> None:
    client, asked = second_step()
    for _ in range(FREE + 1):
        asked = options(answer(client, key.sign_in(asked, challenge=b"0" * 32)))
    assert "Try again in" in answer(client, key.sign_in(asked)).content.decode()
    assert "Try again in" in client.post("/login/code/", {"code": now_code(alice, later=1)}).content.decode()
    elsewhere, asked = second_step()
    assert "Try again in" in answer(elsewhere, key.sign_in(asked)).content.decode()


def test_without_the_password_no_passkey_is_asked_for(key: Authenticator) -> None:
    client = browser()
    assert client.get("/login/code/").url == "/login/"
    assert answer(client, "{}").url == "/login/"


def register(client: Client, key: Authenticator, code: str, name: str = "Phone", **told: Any) -> Any:
    page = client.post("/settings/passkeys/new/", {"name": name, "code": code})
    return client.post("/settings/passkeys/made/", {"answer": key.make(options(page), **told)}, follow=True)


def test_several_are_made_each_for_a_code_with_a_name_and_shown_with_their_last_use(alice: Person) -> None:
    client, code = signed_in(alice), recovery_of_signed_in(alice)
    laptop, phone = Authenticator(), Authenticator()
    assert "signs you in from now on" in register(client, laptop, code(), "Laptop").content.decode()
    register(client, phone, code(), "<b>Phone</b>")
    shown = client.get("/settings/").content.decode()
    assert "Laptop" in shown and "&lt;b&gt;Phone" in shown and shown.count("never used") == 2
    other, asked = second_step()
    assert answer(other, phone.sign_in(asked)).status_code == 302
    assert client.get("/settings/").content.decode().count("never used") == 1
    assert list(AuditEntry.objects.filter(action="passkey_added").values_list("detail__passkey", flat=True)) == [
        "Laptop",
        "<b>Phone</b>",
    ]


def recovery_of_signed_in(who: Person) -> Callable[[], str]:
    """As `recovery`, when the codes of this minute are used up."""
    row = SecondFactor.objects.get(user=who.user)
    SecondFactor.objects.filter(pk=row.pk).update(last_step=0)
    return recovery(who)


def test_none_is_made_without_a_code(alice: Person) -> None:
    client = signed_in(alice)
    for code in ("000000", ""):
        page = client.post("/settings/passkeys/new/", {"name": "Phone", "code": code})
        assert page.status_code == 422 and "data-options" not in page.content.decode()
    assert not PasskeyChallenge.objects.exists()
    told = client.post("/settings/passkeys/made/", {"answer": "{}"}, follow=True).content.decode()
    assert "begin again" in told and not Passkey.objects.exists()


def test_none_is_made_before_the_codes_of_an_app(db: None) -> None:
    bob = person("bob", Role.VIEWER)
    client = browser()
    password(client, "bob")
    page = client.post("/settings/passkeys/new/", {"name": "Phone", "code": "000000"})
    assert page.status_code == 422 and "set up the codes of an app first" in page.content.decode()
    assert not Passkey.objects.filter(user=bob.user).exists()


@pytest.mark.parametrize("name", ["", " ", "\x00", "x" * 101])
def test_each_has_a_name(name: str, alice: Person) -> None:
    page = signed_in(alice).post("/settings/passkeys/new/", {"name": name, "code": "000000"})
    assert page.status_code == 422 and not PasskeyChallenge.objects.exists()


def test_two_of_one_person_have_two_names(alice: Person, key: Authenticator) -> None:
    page = signed_in(alice).post("/settings/passkeys/new/", {"name": "Laptop", "code": "000000"})
    assert "you have a passkey named Laptop" in page.content.decode()


NOT_MADE = {
    name: told for name, told in WRONG.items() if not {"signature", "type"} & set(told) and name != "an empty challenge"
} | {"the other ceremony": {"type": "webauthn.get"}}


@pytest.mark.parametrize("told", NOT_MADE.values(), ids=NOT_MADE.keys())
def test_what_is_made_wrong_in_one_way_is_not_kept(told: dict[str, Any], alice: Person) -> None:
    client, code = signed_in(alice), recovery_of_signed_in(alice)
    page = register(client, Authenticator(), code(), **told)
    assert "No passkey was added" in page.content.decode()
    assert not Passkey.objects.exists() and not PasskeyChallenge.objects.exists()


def test_a_key_of_an_algorithm_that_was_not_offered_is_not_kept(alice: Person) -> None:
    client, code = signed_in(alice), recovery_of_signed_in(alice)
    key = Authenticator()
    public = {**key.credential.public_key, 3: -36}
    odd = AttestedCredentialData.create(bytes(16), key.id, public)  # type: ignore[arg-type]
    assert "No passkey was added" in register(client, key, code(), credential=odd).content.decode()
    assert not Passkey.objects.exists()


def test_an_authenticator_of_somebody_else_is_not_taken_over(alice: Person, key: Authenticator) -> None:
    mallory, _ = with_codes("mallory")
    client, code = signed_in(mallory), recovery_of_signed_in(mallory)
    assert "registered already" in register(client, key, code()).content.decode()
    assert Passkey.objects.get().user == alice.user


def test_one_challenge_makes_one_passkey(alice: Person) -> None:
    client, code = signed_in(alice), recovery_of_signed_in(alice)
    page = client.post("/settings/passkeys/new/", {"name": "Phone", "code": code()})
    for key in (Authenticator(), Authenticator()):
        client.post("/settings/passkeys/made/", {"answer": key.make(options(page))})
    assert Passkey.objects.count() == 1


def test_there_are_only_so_many(alice: Person) -> None:
    for number in range(passkeys.MOST):
        added(alice, Authenticator(), f"Key {number}")
    page = signed_in(alice).post("/settings/passkeys/new/", {"name": "Phone", "code": "000000"})
    assert "remove one first" in page.content.decode()


def test_one_is_removed_for_a_code_and_opens_nothing_afterwards(alice: Person, key: Authenticator) -> None:
    client, code = signed_in(alice), recovery_of_signed_in(alice)
    url = f"/settings/passkeys/{Passkey.objects.get().pk}/remove/"
    assert client.post(url, {"code": "000000"}).status_code == 422
    other, asked = second_step()
    assert client.post(url, {"code": code()}).url == "/settings/"
    assert answer(other, key.sign_in(asked)).status_code == 422
    assert client.get(url).status_code == 404
    entry = AuditEntry.objects.get(action="passkey_removed")
    assert (entry.actor, entry.detail) == ("user:alice", {"passkey": "Laptop"})


def test_nobody_removes_somebody_elses(alice: Person, key: Authenticator) -> None:
    mallory, _ = with_codes("mallory")
    client, code = signed_in(mallory), recovery_of_signed_in(mallory)
    url = f"/settings/passkeys/{Passkey.objects.get().pk}/remove/"
    assert client.get(url).status_code == 404
    assert client.post(url, {"code": code()}).status_code == 404
    assert Passkey.objects.exists()


def test_without_the_second_factor_there_are_no_passkeys_either(alice: Person, key: Authenticator) -> None:
    client, code = signed_in(alice), recovery_of_signed_in(alice)
    assert client.post("/settings/second-factor/end/", {"code": code()}).url == "/settings/"
    assert not Passkey.objects.exists()
    assert password(browser()).url == "/"


def test_one_page_after_the_other_leaves_one_challenge(alice: Person, key: Authenticator) -> None:
    client, _ = second_step()
    for _ in range(3):
        client.get("/login/code/")
    assert PasskeyChallenge.objects.count() == 1


def test_browsers_know_passkeys_at_names_by_https_and_on_localhost() -> None:
    known = ("https://solflow.example.com", "https://solflow.example.com:8443", "http://localhost:8000")
    unknown = ("http://solflow.example.com", "http://127.0.0.1:8000", "https://192.0.2.1", "https://[::1]")
    assert all(Site(origin).has_passkeys for origin in known)
    assert not any(Site(origin).has_passkeys for origin in unknown)
    assert Site(known[1]).rp_id == "solflow.example.com"


def test_what_is_signed_must_be_present_at_least(alice: Person, key: Authenticator) -> None:
    client, asked = second_step()
    assert answer(client, key.sign_in(asked, flags=PRESENT & ~4)).status_code == 302
