"""The address book: lists that filters look in, labels beside addresses everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import AuditEntry
from tests.executing import new_address
from tests.integration.pages.conftest import RECIPIENT, WATCHED, ended, paying, text_of
from tests.people import Person
from workflows.models import AddressList, Channel, Workflow
from workflows.services import address_list_create

Make = Callable[..., Workflow]


def entries(address_list: AddressList) -> dict[str, str]:
    return dict(address_list.entries.values_list("address", "label"))


@pytest.fixture
def treasury(alice: Person) -> AddressList:
    entry = {"address": WATCHED, "label": "Treasury vault"}
    return address_list_create(actor=alice.actor, name="Treasury", entries=[entry])


def test_a_list_is_made_of_pasted_lines_whatever_divides_them(pages: Client) -> None:
    one, two, three, four = (new_address() for _ in range(4))
    text = f'address,label\n{one}\n\n# partners\n{two}, Market maker\n"{three}";"Ops, hot"\r\n{four}\tCold wallet '
    made = pages.post("/address-lists/new/", {"name": "Partners", "entries": text}, follow=True)
    assert made.redirect_chain and "is saved" in text_of(made)
    expected = {one: "", two: "Market maker", three: "Ops, hot", four: "Cold wallet"}
    assert entries(AddressList.objects.get()) == expected


def test_wrong_lines_are_named_and_nothing_is_saved(pages: Client) -> None:
    one = new_address()
    text = f"{one}\nnot-an-address, x\n{one} again\n{new_address()} {'x' * 101}"
    refused = pages.post("/address-lists/new/", {"name": "Partners", "entries": text})
    shown = text_of(refused)
    assert refused.status_code == 422 and not AddressList.objects.exists()
    assert "Line 2: not-an-address is no address" in shown and "Line 3: the address is on line 1 already" in shown
    assert "Line 4: the label has 101 characters" in shown
    # What was typed is still there.
    assert one in shown


def test_edited_as_text_a_list_gets_a_new_version(treasury: AddressList, pages: Client) -> None:
    url = f"/address-lists/{treasury.id}/edit/"
    assert f"{WATCHED}, Treasury vault" in text_of(pages.get(url))
    pages.post(url, {"name": "Vaults", "entries": f"{RECIPIENT} Ops"})
    treasury.refresh_from_db()
    assert (treasury.name, treasury.version, entries(treasury)) == ("Vaults", 2, {RECIPIENT: "Ops"})


def test_an_import_adds_and_renames_and_leaves_the_others(treasury: AddressList, pages: Client) -> None:
    other, url = new_address(), f"/address-lists/{treasury.id}/add/"
    done = pages.post(url, {"entries": f"{RECIPIENT} Ops\n{WATCHED} Vault"}, follow=True)
    assert "1 added, 1 renamed, 0 were there already." in text_of(done)
    pages.post(url, {"entries": f"{other}\n{WATCHED}"})
    assert entries(treasury) == {WATCHED: "Vault", RECIPIENT: "Ops", other: ""}
    wrong = pages.post(url, {"entries": "nothing"})
    assert wrong.status_code == 422 and "Line 1: nothing is no address" in text_of(wrong)
    treasury.refresh_from_db()
    assert treasury.version == 3
    nothing_new = pages.post(url, {"entries": WATCHED}, follow=True)
    assert "0 added, 0 renamed, 1 were there already." in text_of(nothing_new)
    treasury.refresh_from_db()
    assert treasury.version == 3
    assert AuditEntry.objects.filter(action="address_list_updated").count() == 2


def test_an_address_is_removed_by_its_button(treasury: AddressList, pages: Client) -> None:
    pages.post(f"/address-lists/{treasury.id}/remove/", {"address": WATCHED})
    treasury.refresh_from_db()
    assert (entries(treasury), treasury.version) == ({}, 2)


def test_a_list_is_searched_by_label_or_the_address_beginning(treasury: AddressList, pages: Client) -> None:
    for text, found in (("vault", True), (WATCHED[:5], True), ("nobody", False)):
        shown = pages.get(f"/address-lists/{treasury.id}/", {"q": text}).context["entries"]
        assert bool(shown) is found, text


def test_a_list_that_a_filter_looks_in_says_so_and_stays(
    make: Make, channel: Channel, treasury: AddressList, pages: Client
) -> None:
    make("Watch", definition=paying(filter={"field": "event.account", "op": "in_list", "value": str(treasury.id)}))
    assert "Watch" in text_of(pages.get(f"/address-lists/{treasury.id}/"))
    assert pages.get("/address-lists/").context["lists"][0].used_by == 1
    refused = pages.post(f"/address-lists/{treasury.id}/delete/", follow=True)
    assert "enabled workflows look in it: Watch" in text_of(refused) and AddressList.objects.exists()


def test_a_list_that_nothing_needs_is_deleted(treasury: AddressList, pages: Client) -> None:
    gone = pages.post(f"/address-lists/{treasury.id}/delete/", follow=True)
    assert gone.redirect_chain == [("/address-lists/", 302)] and not AddressList.objects.exists()


def test_labels_stand_beside_addresses_wherever_they_are(
    workflow: Workflow, treasury: AddressList, pages: Client
) -> None:
    execution = ended(workflow, "filtered")
    for url in ("/", "/executions/", f"/executions/{execution.execution_id}/", f"/workflows/{workflow.id}/"):
        assert "Treasury vault" in text_of(pages.get(url)), url


def test_a_label_is_never_markup(workflow: Workflow, alice: Person, pages: Client) -> None:
    hostile = {"address": WATCHED, "label": "<img src=x>‮"}
    made = address_list_create(actor=alice.actor, name="x", entries=[hostile])
    for url in (f"/address-lists/{made.id}/", f"/workflows/{workflow.id}/"):
        shown = text_of(pages.get(url))
        assert "<img" not in shown and "‮" not in shown, url
