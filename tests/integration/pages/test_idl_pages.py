"""IDLs: upload, see what is in them, delete."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.idls import TOKEN
from tests.integration.pages.conftest import paying, text_of
from tests.people import Person
from workflows.models import Idl, Workflow
from workflows.services import idl_create

# A program that tells of payments.
PROGRAM = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"
PROGRAM_IDL: dict[str, Any] = {
    "address": PROGRAM,
    "metadata": {"name": "till", "version": "1.0.0", "spec": "0.1.0"},
    "instructions": [],
    "events": [{"name": "Paid", "discriminator": [1, 2, 3, 4, 5, 6, 7, 8]}],
    "types": [
        {
            "name": "Paid",
            "type": {
                "kind": "struct",
                "fields": [{"name": "amount", "type": "u64"}, {"name": "payer", "type": "pubkey"}],
            },
        }
    ],
}


def file_of(document: Any) -> SimpleUploadedFile:
    text = document if isinstance(document, str) else json.dumps(document)
    return SimpleUploadedFile("idl.json", text.encode(), content_type="application/json")


def test_a_file_is_uploaded_under_the_name_that_it_gives_its_program(pages: Client) -> None:
    shown = pages.post("/idls/new/", {"file": file_of(TOKEN)}, follow=True)
    idl = Idl.objects.get()
    assert (idl.name, idl.program_id) == ("token", TOKEN["address"])
    assert shown.redirect_chain == [(f"/idls/{idl.id}/", 302)]
    text = text_of(shown)
    assert "transfer" in text and "amount" in text and "u64" in text and "signs" in text
    assert "NotEnough" in text


def test_its_text_may_be_pasted_and_named(pages: Client) -> None:
    pages.post("/idls/new/", {"text": json.dumps(TOKEN), "name": "SPL Token"})
    assert Idl.objects.get().name == "SPL Token"


def test_its_events_and_their_fields_are_shown(alice: Person, pages: Client) -> None:
    idl = idl_create(actor=alice.actor, name="events", document=PROGRAM_IDL)
    summary = pages.get(f"/idls/{idl.id}/").context["summary"]
    assert [(event.name, event.fields) for event in summary.events] == [
        ("Paid", [("amount", "u64"), ("payer", "pubkey")])
    ]


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({}, "file", "Give either a file or its text."),
        ({"file": "not json"}, "file", "This is no JSON"),
        ({"text": "[1]"}, "name", "does not name its program"),
        ({"text": "[1]", "name": "x"}, "text", "must be a JSON object"),
        ({"text": json.dumps({**TOKEN, "instructions": "x"})}, "text", "instructions: must be a list"),
        ({"text": json.dumps(TOKEN), "program_id": "1" * 32}, "program_id", "the document is the IDL of"),
        ({"file": " " * 600_000}, "file", "must not be larger than 512 KiB"),
    ],
)
def test_what_is_no_idl_is_said_beside_its_field(given: dict[str, Any], field: str, why: str, pages: Client) -> None:
    sent = {key: file_of(value) if key == "file" else value for key, value in given.items()}
    refused = pages.post("/idls/new/", sent)
    assert refused.status_code == 422 and why in str(refused.context["form"].errors[field])
    assert not Idl.objects.exists()


def test_an_idl_in_use_stays_and_one_that_is_not_goes(
    make: Callable[..., Workflow], alice: Person, pages: Client
) -> None:
    used = idl_create(actor=alice.actor, name="events", document=PROGRAM_IDL)
    idl_create(actor=alice.actor, name="token", document=TOKEN)
    trigger = {
        "type": "program_log",
        "program_id": used.program_id,
        "idl": str(used.id),
        "event": "Paid",
    }
    make("Watch", definition=paying(trigger=trigger))
    assert {idl.name: idl.used_by for idl in pages.get("/idls/").context["idls"]} == {"events": 1, "token": 0}
    for idl in Idl.objects.all():
        pages.post(f"/idls/{idl.id}/delete/")
    assert Idl.objects.get() == used
    assert "enabled workflows use it: Watch" in text_of(pages.get("/idls/"))
