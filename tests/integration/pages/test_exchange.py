"""Export, import and duplicate as a person meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.integration.pages.conftest import text_of
from workflows.models import Channel, Workflow
from workflows.services import channel_delete

Make = Callable[..., Workflow]


def uploaded(pages: Client, content: bytes) -> Any:
    return pages.post("/workflows/import/", {"file": SimpleUploadedFile("export.json", content)})


def exported(pages: Client) -> bytes:
    content: bytes = pages.get("/workflows/export/").content
    return content


def test_an_export_is_a_file_with_a_name(workflow: Workflow, pages: Client) -> None:
    response = pages.get("/workflows/export/")
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"].startswith('attachment; filename="solflow-workflows-20')
    assert [entry["name"] for entry in json.loads(response.content)["workflows"]] == [workflow.name]


def test_one_workflow_is_exported_alone(workflow: Workflow, make: Make, pages: Client) -> None:
    make("Another")
    response = pages.get(f"/workflows/{workflow.id}/export/")
    assert [entry["name"] for entry in json.loads(response.content)["workflows"]] == [workflow.name]


def test_what_was_exported_is_imported_and_shown_not_enabled(workflow: Workflow, pages: Client) -> None:
    response = uploaded(pages, exported(pages))
    made = Workflow.objects.exclude(pk=workflow.pk).get()
    assert (response.status_code, response.url) == (302, f"/workflows/{made.id}/")
    assert (made.name, made.enabled) == (f"{workflow.name} (2)", False)
    assert "1 workflow is imported" in text_of(pages.get(response.url))


def test_several_are_shown_in_the_list(workflow: Workflow, make: Make, pages: Client) -> None:
    make("Another")
    response = uploaded(pages, exported(pages))
    assert response.url == "/workflows/"
    shown = text_of(pages.get(response.url))
    assert "2 workflows are imported" in shown and "Another (2)" in shown


def test_every_problem_is_listed_with_its_path_and_nothing_is_made(workflow: Workflow, pages: Client) -> None:
    document = json.loads(exported(pages))
    document["workflows"][0]["lamprots"] = 1
    document["workflows"].append({"name": "<b>bold</b>", "definition": {"trigger": {"type": "manuel"}}})
    response = uploaded(pages, json.dumps(document).encode())
    shown = text_of(response)
    assert response.status_code == 422 and "Nothing was imported." in shown
    assert "<code>workflows[0].lamprots</code>" in shown and "It has 2 problems." in shown
    assert "<code>workflows[1].definition.trigger.type</code>" in shown
    assert Workflow.objects.count() == 1


def test_a_file_that_is_no_export_is_refused_in_one_sentence(pages: Client) -> None:
    for content, words in (
        (b"\x89PNG", "is not JSON"),
        (b"[]", "must be an export of SolFlow"),
        (b"", "The submitted file is empty."),
    ):
        response = uploaded(pages, content)
        assert response.status_code == 422 and words in text_of(response)
    response = pages.post("/workflows/import/")
    assert response.status_code == 422 and "This field is required." in text_of(response)


def test_a_duplicate_is_opened_and_is_not_enabled(workflow: Workflow, pages: Client) -> None:
    response = pages.post(f"/workflows/{workflow.id}/duplicate/")
    twin = Workflow.objects.exclude(pk=workflow.pk).get()
    assert response.url == f"/workflows/{twin.id}/" and not twin.enabled
    shown = text_of(pages.get(response.url))
    assert f"{workflow.name} (2) is a copy of {workflow.name}" in shown


def test_why_there_is_no_duplicate_is_told(make: Make, channel: Channel, pages: Client, alice: Any) -> None:
    workflow = make(enabled=False)
    channel_delete(actor=alice.actor, channel=channel)
    response = pages.post(f"/workflows/{workflow.id}/duplicate/")
    assert response.url == f"/workflows/{workflow.id}/"
    assert "there is no channel" in text_of(pages.get(response.url))


def test_the_list_and_the_page_lead_there(workflow: Workflow, pages: Client) -> None:
    listed, page = text_of(pages.get("/workflows/")), text_of(pages.get(f"/workflows/{workflow.id}/"))
    for address in ("/workflows/export/", "/workflows/import/", f"/workflows/{workflow.id}/duplicate/"):
        assert address in listed
    for address in (f"/workflows/{workflow.id}/duplicate/", f"/workflows/{workflow.id}/export/"):
        assert address in page


def test_what_comes_from_another_network_is_said_before_it_is_made(workflow: Workflow, pages: Client) -> None:
    file = json.dumps({**json.loads(exported(pages)), "network": "mainnet-beta"}).encode()
    assert "Import it nevertheless" not in text_of(pages.get("/workflows/import/"))
    refused = uploaded(pages, file)
    assert refused.status_code == 422 and Workflow.objects.count() == 1
    assert "was exported on mainnet-beta" in text_of(refused) and "Import it nevertheless" in text_of(refused)
    meant = {"file": SimpleUploadedFile("export.json", file), "from_other_network": "on"}
    shown = text_of(pages.post("/workflows/import/", meant, follow=True))
    assert "1 workflow is imported" in shown and "was exported on mainnet-beta" in shown
