"""Passkeys in a real browser, with its virtual authenticators."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from accounts.models import AuditEntry, Passkey, Role, SecondFactor
from accounts.second_factor import services, totp
from tests.authenticator import Authenticator
from tests.people import Person, person
from tests.stack import PASSWORD, Stack
from tests.story import EXPECTED, PATIENCE_MS

pytestmark = pytest.mark.django_db(transaction=True)

CREDENTIAL = bytes(Authenticator().credential)
AXE = (Path(__file__).parents[1] / "axe" / "axe.min.js").read_text()
RUN_AXE = "async () => (await axe.run(document)).violations.map((one) => `${one.id}: ${one.nodes[0].target}`)"


class Desk:
    """A browser on `localhost`: at an IP address browsers make no passkeys."""

    def __init__(self, browser: Browser, stack: Stack, **options: Any) -> None:
        self.url = f"http://localhost:{stack.web_port}"
        self.page: Page = browser.new_context(base_url=self.url, **options).new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self._hear(line.type, line.text))
        self.devtools: CDPSession = self.page.context.new_cdp_session(self.page)
        self.devtools.send("WebAuthn.enable")

    def _hear(self, kind: str, text: str) -> None:
        # Violations of the content security policy are errors of the console too.
        if kind in ("error", "warning") and not EXPECTED.search(text):
            self.complaints.append(text)

    def authenticator(self, transport: str = "internal") -> str:
        """A device that says yes to everything; its id."""
        told = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        return self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": told})["authenticatorId"]

    def take_away(self, authenticator: str) -> list[Any]:
        """The device is gone; what it held."""
        which = {"authenticatorId": authenticator}
        held = self.devtools.send("WebAuthn.getCredentials", which)["credentials"]
        self.devtools.send("WebAuthn.removeVirtualAuthenticator", which)
        return held

    def give(self, authenticator: str, credential: Any) -> None:
        self.devtools.send("WebAuthn.addCredential", {"authenticatorId": authenticator, "credential": credential})

    def password(self) -> None:
        self.page.goto("/login/")
        self.page.get_by_label("Username").fill("alice")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Second step")).to_be_visible()

    def code(self, text: str) -> None:
        self.page.get_by_role("textbox", name="Code").fill(text)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Overview")).to_be_visible()

    def passkey(self) -> None:
        self.page.get_by_role("button", name="Use a passkey").click()

    def sign_out(self) -> None:
        self.page.context.clear_cookies()

    def add(self, name: str, code: str) -> None:
        self.page.goto("/settings/")
        self.page.get_by_role("link", name="New passkey").click()
        self.page.get_by_role("textbox", name="Name").fill(name)
        self.page.get_by_role("textbox", name="Code").fill(code)
        self.page.get_by_role("button", name="Go on").click()
        self.page.get_by_role("button", name="Make the passkey").click()


def barriers(desk: Desk) -> None:
    desk.page.evaluate(AXE)
    assert desk.page.evaluate(RUN_AXE) == []


@pytest.fixture
def alice(db: None) -> Person:
    return person("alice", Role.ADMIN)


@pytest.fixture
def codes(alice: Person) -> list[str]:
    """Alice's recovery codes; the second factor is on."""
    services.second_factor_begin(user=alice.user)
    seed = services.seed_of(SecondFactor.objects.get(user=alice.user))
    code = totp.code_at(seed, int(time.time()) // totp.PERIOD_S)
    return services.second_factor_enable(actor=alice.actor, user=alice.user, code=code)


def test_two_passkeys_are_made_and_each_signs_in(chromium: Browser, stack: Stack, codes: list[str]) -> None:
    stack.start("web")
    desk = Desk(chromium, stack)
    laptop = desk.authenticator()
    desk.password()
    expect(desk.page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    desk.code(codes.pop())
    desk.add("Laptop", codes.pop())
    expect(desk.page.get_by_text("The passkey Laptop signs you in from now on")).to_be_visible()
    desk.add("Laptop again", codes.pop())
    expect(desk.page.get_by_text("This device has a passkey of yours already")).to_be_visible()
    of_laptop = desk.take_away(laptop)
    stick = desk.authenticator("usb")
    desk.add("Stick", codes.pop())
    expect(desk.page.get_by_text("The passkey Stick signs you in from now on")).to_be_visible()
    desk.sign_out()
    desk.password()
    desk.passkey()
    expect(desk.page.get_by_role("heading", name="Overview")).to_be_visible()
    desk.take_away(stick)
    desk.give(desk.authenticator(), of_laptop[0])
    desk.sign_out()
    desk.password()
    desk.passkey()
    expect(desk.page.get_by_role("heading", name="Overview")).to_be_visible()
    assert set(Passkey.objects.values_list("name", flat=True)) == {"Laptop", "Stick"}
    assert not Passkey.objects.filter(last_used_at=None).exists()
    assert desk.complaints == []


def test_a_copy_that_counts_from_where_it_was_made_is_refused(
    chromium: Browser, stack: Stack, codes: list[str]
) -> None:
    stack.start("web")
    desk = Desk(chromium, stack)
    stick = desk.authenticator("usb")
    desk.password()
    desk.code(codes.pop())
    desk.add("Stick", codes.pop())
    expect(desk.page.get_by_text("signs you in from now on")).to_be_visible()
    copied = desk.devtools.send("WebAuthn.getCredentials", {"authenticatorId": stick})["credentials"][0]
    desk.sign_out()
    desk.password()
    desk.passkey()
    expect(desk.page.get_by_role("heading", name="Overview")).to_be_visible()
    desk.take_away(stick)
    desk.give(desk.authenticator("usb"), copied)
    desk.sign_out()
    desk.password()
    desk.passkey()
    expect(desk.page.get_by_text("That passkey was not accepted")).to_be_visible()
    assert AuditEntry.objects.get(action="passkey_refused").detail["passkey"] == "Stick"
    desk.code(codes.pop())
    assert desk.complaints == []


def test_a_device_without_the_passkey_leads_back_to_codes(chromium: Browser, stack: Stack, codes: list[str]) -> None:
    stack.start("web")
    desk = Desk(chromium, stack)
    stick = desk.authenticator()
    desk.password()
    desk.code(codes.pop())
    desk.add("Stick", codes.pop())
    expect(desk.page.get_by_text("signs you in from now on")).to_be_visible()
    desk.take_away(stick)
    desk.authenticator()
    desk.sign_out()
    desk.password()
    desk.passkey()
    expect(desk.page.get_by_text("No passkey answered, or it was called off")).to_be_visible()
    desk.code(codes.pop())
    assert desk.complaints == []


def test_without_script_the_code_is_the_way(chromium: Browser, stack: Stack, codes: list[str], alice: Person) -> None:
    Passkey.objects.create(user=alice.user, name="Stick", rp_id="localhost", credential_id=b"1", credential=CREDENTIAL)
    stack.start("web")
    desk = Desk(chromium, stack, java_script_enabled=False)
    desk.password()
    expect(desk.page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    desk.code(codes.pop())


def test_its_pages_have_no_barrier(chromium: Browser, stack: Stack, codes: list[str], alice: Person) -> None:
    Passkey.objects.create(user=alice.user, name="Stick", rp_id="localhost", credential_id=b"1", credential=CREDENTIAL)
    stack.start("web")
    desk = Desk(chromium, stack)
    desk.password()
    expect(desk.page.get_by_role("button", name="Use a passkey")).to_be_visible()
    barriers(desk)
    desk.code(codes.pop())
    desk.page.goto("/settings/")
    barriers(desk)
    desk.page.get_by_role("link", name="New passkey").click()
    barriers(desk)
    desk.page.get_by_role("textbox", name="Name").fill("Laptop")
    desk.page.get_by_role("textbox", name="Code").fill(codes.pop())
    desk.page.get_by_role("button", name="Go on").click()
    expect(desk.page.get_by_role("button", name="Make the passkey")).to_be_visible()
    barriers(desk)
    desk.page.goto("/settings/")
    desk.page.get_by_role("link", name="Remove Stick").click()
    barriers(desk)
    assert desk.complaints == []
