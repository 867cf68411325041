"""Signing in with a password and a code: every door asks for it, and a code opens one once."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import sign_in_delays
from accounts.models import AuditEntry, Role, SecondFactor
from accounts.second_factor import services, totp
from accounts.sign_in_delays import FREE
from tests.people import Person, person

PASSWORD = "correct horse battery staple"
SETTINGS = "/settings/second-factor/"


@pytest.fixture(autouse=True)
def nothing_counted(services: object) -> Iterator[None]:
    cache.clear()
    sign_in_delays._here.clear()
    yield
    cache.clear()


@pytest.fixture
def alice(db: None) -> Person:
    return person("alice", Role.ADMIN)


def now_code(who: Person, later: int = 0) -> str:
    """What alice's app shows; `later` periods from now, so that a test does not wait for the next."""
    seed = services.seed_of(SecondFactor.objects.get(user=who.user))
    return totp.code_at(seed, int(time.time()) // totp.PERIOD_S + later)


def switched_on(who: Person) -> list[str]:
    """Alice has set it up; gives her recovery codes. The code of this period is used."""
    services.second_factor_begin(user=who.user)
    return services.second_factor_enable(actor=who.actor, user=who.user, code=now_code(who))


def password(client: Client, following: str = "") -> Any:
    return client.post(f"/login/{following}", {"username": "alice", "password": PASSWORD})


def code(client: Client, text: str) -> Any:
    return client.post("/login/code/", {"code": text})


def is_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def test_a_password_alone_leads_to_the_second_step_and_no_further(alice: Person) -> None:
    switched_on(alice)
    client = Client()
    assert password(client).url == "/login/code/"
    assert not is_in(client)
    assert client.get("/api/v1/workflows/").status_code == 401


def test_with_a_code_the_person_is_where_they_wanted_to_be(alice: Person) -> None:
    switched_on(alice)
    client = Client()
    password(client, "?next=/workflows/")
    assert code(client, now_code(alice, later=1)).url == "/workflows/"
    assert is_in(client)


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(alice: Person, following: str) -> None:
    switched_on(alice)
    client = Client()
    password(client, f"?next={following}")
    assert code(client, now_code(alice, later=1)).url == "/"


def test_the_code_of_another_time_or_of_nobody_is_wrong(alice: Person) -> None:
    switched_on(alice)
    client = Client()
    password(client)
    for text in (now_code(alice, later=5), now_code(alice, later=-5), "000000", "", "not-a-code", "\x00"):
        assert code(client, text).status_code == 422, text
    assert not is_in(client)


def test_a_code_is_taken_once(alice: Person) -> None:
    switched_on(alice)
    one, other = Client(), Client()
    text = now_code(alice, later=1)
    password(one)
    password(other)
    assert code(one, text).status_code == 302
    assert code(other, text).status_code == 422
    assert code(other, now_code(alice)).status_code == 422
    assert not is_in(other)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_show_one_code_at_once_one_gets_in() -> None:
    alice = person("alice", Role.ADMIN)
    switched_on(alice)
    text, together, taken = now_code(alice, later=1), threading.Barrier(6), []

    def show() -> None:
        together.wait()
        taken.append(services.second_factor_check(user=alice.user, code=text))
        connection.close()

    threads = [threading.Thread(target=show) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 5 + [True]


def test_a_recovery_code_is_taken_once_however_it_is_typed(alice: Person) -> None:
    codes = switched_on(alice)
    client = Client()
    password(client)
    assert code(client, codes[0].upper().replace("-", " ")).status_code == 302
    again = Client()
    password(again)
    assert code(again, codes[0]).status_code == 422
    assert code(again, codes[1]).status_code == 302
    assert len(SecondFactor.objects.get().recovery) == services.RECOVERY_CODES - 2


def test_guessing_codes_is_slow_and_told_in_the_audit_log(alice: Person) -> None:
    switched_on(alice)
    client = Client()
    password(client)
    for _ in range(FREE + 1):
        answer = code(client, "000000")
    assert "not a valid code" in answer.content.decode()
    assert "Try again in" in code(client, now_code(alice, later=1)).content.decode()
    elsewhere = Client(REMOTE_ADDR="198.51.100.9")
    password(elsewhere)
    assert "Try again in" in code(elsewhere, now_code(alice, later=1)).content.decode()
    entry = AuditEntry.objects.filter(action="login_failed").latest("id")
    assert (entry.target_name, entry.detail["password"]) == ("alice", "right")


def test_guesses_of_strangers_do_not_slow_a_browser_that_has_been_in(alice: Person) -> None:
    switched_on(alice)
    known, stranger = Client(), Client()
    password(known)
    code(known, now_code(alice, later=1))
    known.post("/logout/")
    password(stranger)
    for _ in range(FREE + 2):
        code(stranger, "000000")
    password(known)
    assert "not a valid code" in code(known, "000000").content.decode()


def test_the_second_step_needs_the_first_and_ends(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    switched_on(alice)
    assert code(Client(), now_code(alice, later=1)).url == "/login/"
    client = Client()
    password(client)
    late = time.time() + 301
    monkeypatch.setattr("accounts.people.sign_in.time.time", lambda: late)
    assert code(client, now_code(alice, later=1)).url == "/login/"


def test_a_password_that_was_changed_between_the_steps_is_worth_nothing(alice: Person) -> None:
    switched_on(alice)
    client = Client()
    password(client)
    user = User.objects.get()
    user.set_password("another horse of battery")
    user.save()
    assert code(client, now_code(alice, later=1)).url == "/login/"


def test_the_admin_has_no_door_of_its_own(alice: Person) -> None:
    get_user_model().objects.update(is_staff=True, is_superuser=True)
    switched_on(alice)
    client = Client()
    answer = client.post("/admin/login/?next=/admin/", {"username": "alice", "password": PASSWORD})
    assert answer.url == "/login/code/"
    assert client.get("/admin/").status_code == 302
    assert code(client, now_code(alice, later=1)).url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_who_is_signed_in_and_no_superuser_is_told_so_at_the_admins_door(alice: Person) -> None:
    client = Client()
    client.force_login(alice.user)
    assert client.get("/admin/", follow=True).status_code == 403


def test_no_other_way_of_signing_in_passes_by_the_code(alice: Person) -> None:
    switched_on(alice)
    client = Client()
    with pytest.raises(Exception, match="second factor"):
        client.force_login(alice.user)
    assert not is_in(client)
    assert not AuditEntry.objects.filter(action="login").exists()


def signed_in(who: Person) -> Client:
    client = Client()
    password(client)
    return client


def test_setting_it_up_takes_the_password_and_a_code_and_shows_recovery_codes_once(alice: Person) -> None:
    client, other = signed_in(alice), signed_in(alice)
    assert client.get(SETTINGS).url == "/settings/"
    assert client.post(f"{SETTINGS}begin/").url == SETTINGS
    page = client.get(SETTINGS)
    seed = totp.as_text(services.seed_of(SecondFactor.objects.get()))
    assert seed in page.content.decode() and '<svg class="qr"' in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert client.post(SETTINGS, {"password": "wrong", "code": now_code(alice)}).status_code == 422
    assert client.post(SETTINGS, {"password": PASSWORD, "code": "000000"}).status_code == 422
    assert not services.is_on(alice.user)
    shown = client.post(SETTINGS, {"password": PASSWORD, "code": now_code(alice)}).content.decode()
    codes = re.findall(r"<li>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</li>", shown)
    assert len(codes) == services.RECOVERY_CODES
    assert is_in(client) and not is_in(other)
    assert seed not in client.get("/settings/").content.decode()
    assert codes[0] not in client.get(SETTINGS, follow=True).content.decode()
    assert client.post(f"{SETTINGS}begin/", follow=True).status_code == 200
    assert services.is_on(alice.user)


def test_it_is_switched_off_and_codes_are_renewed_only_with_a_code(alice: Person) -> None:
    client = signed_in(alice)
    codes = switched_on(alice)
    for url in ("codes/", "end/"):
        assert client.post(f"{SETTINGS}{url}", {"code": "000000"}).status_code == 422
    assert services.is_on(alice.user)
    renewed = client.post(f"{SETTINGS}codes/", {"code": codes[0]}).content.decode()
    assert codes[1] not in renewed
    assert client.post(f"{SETTINGS}end/", {"code": codes[1]}).status_code == 422
    assert client.post(f"{SETTINGS}end/", {"code": now_code(alice, later=1)}).url == "/settings/"
    assert not SecondFactor.objects.exists()
    assert password(Client()).url == "/"


def test_what_is_kept_is_neither_the_seed_nor_a_recovery_code(alice: Person) -> None:
    codes = switched_on(alice)
    row = SecondFactor.objects.get()
    seed = services.seed_of(row)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row::text FROM accounts_secondfactor row")
        kept = cursor.fetchone()[0]
    assert not [one for one in (seed.hex(), totp.as_text(seed), *codes) if one in kept]
    logged = str(list(AuditEntry.objects.values_list("detail", "target_name")))
    assert not [one for one in (totp.as_text(seed), *codes) if one in logged]


def test_after_a_change_of_secret_key_recovery_codes_still_work(alice: Person, settings: Any) -> None:
    codes = switched_on(alice)
    text = now_code(alice, later=1)
    settings.SECRET_KEY = "another-key-that-is-long-enough-for-a-test"
    client = Client()
    password(client)
    assert code(client, text).status_code == 422
    assert code(client, codes[0]).status_code == 302


def test_who_has_lost_it_is_helped_by_a_command_or_a_superuser(alice: Person) -> None:
    with pytest.raises(CommandError, match="no second factor"):
        call_command("remove_second_factor", "alice")
    switched_on(alice)
    call_command("remove_second_factor", "alice")
    assert password(Client()).url == "/"
    switched_on(alice)
    root = Client()
    root.force_login(get_user_model().objects.create_superuser(username="root", password="x"))
    root.post("/admin/auth/user/", {"action": "end_second_factor", "_selected_action": [alice.user.pk]})
    assert not services.is_on(alice.user)
    assert set(AuditEntry.objects.filter(action="second_factor_disabled").values_list("actor", flat=True)) == {
        "system:command",
        "admin:root",
    }


def test_the_settings_page_says_whether_it_is_on(alice: Person) -> None:
    client = signed_in(alice)
    assert "Set up" in client.get(reverse("settings:own")).content.decode()
    switched_on(alice)
    assert "Recovery codes left: 10" in client.get(reverse("settings:own")).content.decode()
