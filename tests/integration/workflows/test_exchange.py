"""Export and import: what leaves, what comes of it here and elsewhere, and that it is all or nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.actors import Actor
from accounts.errors import Invalid
from accounts.models import AuditEntry
from tests import idls
from tests.integration.workflows.conftest import DISCORD_URL, RECIPIENT, WATCHED, paying
from workflows.exports import export_of
from workflows.models import AddressList, Channel, Idl, Signer, Workflow
from workflows.selectors import workflow_list
from workflows.services import (
    address_list_create,
    channel_create,
    channel_delete,
    idl_create,
    signer_create,
    signer_delete,
    workflow_delete,
    workflow_duplicate,
    workflow_enable,
    workflow_update,
    workflows_import,
)

Make = Callable[..., Workflow]
SETTINGS: dict[str, Any] = {
    "name": "pay the vips",
    "description": "All settings differ from the defaults.",
    "commitment": "finalized",
    "dry_run": True,
    "ordered": True,
    "max_event_age_s": 60,
    "max_lamports_per_tx": 2_000_000,
    "max_lamports_per_day": 3_000_000,
    "max_tokens_per_tx": {WATCHED: 2**63},
    "max_tokens_per_day": {WATCHED: 2**64 - 1},
    "max_executions_per_hour": 7,
    "allowed_recipients": [RECIPIENT],
    "allowed_programs": [idls.SYSTEM_PROGRAM],
    "approval_above_lamports": 500_000,
    "approval_expires_s": 90,
    "approvers": 2,
    "pause_after_failures": None,
}


@pytest.fixture
def vips(alice: Actor) -> AddressList:
    return address_list_create(actor=alice, name="vips", entries=[{"address": RECIPIENT, "label": "Bob"}])


@pytest.fixture
def idl(alice: Actor) -> Idl:
    return idl_create(actor=alice, name="system", document=idls.SYSTEM)


@pytest.fixture
def whole(make: Make, signer: Signer, channel: Channel, vips: AddressList, idl: Idl, alice: Actor) -> Workflow:
    """A workflow that names something of everything, with a draft."""
    call = {
        "type": "call_program",
        "program_id": idls.SYSTEM_PROGRAM,
        "idl": str(idl.id),
        "instruction": "transfer",
        "accounts": {"to": RECIPIENT},
        "args": {"lamports": 1000},
    }
    definition = paying(
        filter={"field": "event.address", "op": "in_list", "value": str(vips.id)},
        actions=[{"type": "transfer_sol", "to": RECIPIENT, "lamports": 1000}, call],
        notifications=[{"channel": str(channel.id), "on": ["success"]}],
    )
    workflow = make(definition, signer, **SETTINGS)
    draft = {"notifications": [{"channel": str(channel.id)}], "half": "done"}
    return workflow_update(actor=alice, workflow=workflow, changes={"draft": draft})


def exported(actor: Actor) -> dict[str, Any]:
    """As it is after a journey as text."""
    document = export_of(team=actor.team, workflows=workflow_list(team=actor.team))
    copied: dict[str, Any] = json.loads(json.dumps(document))
    return copied


def refused(actor: Actor, document: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        workflows_import(actor=actor, document=document)
    return {problem.path: problem.code for problem in caught.value.errors}


def wanted(workflow: Workflow) -> dict[str, Any]:
    """What makes two workflows the same."""
    workflow.refresh_from_db()
    assert workflow.version is not None
    names = [name for name in SETTINGS if name != "name"]
    return {**{name: getattr(workflow, name) for name in names}, "definition": workflow.version.definition}


def test_an_export_holds_every_setting_and_names_what_it_needs(whole: Workflow, alice: Actor) -> None:
    document = exported(alice)
    (entry,) = document["workflows"]
    assert entry == {
        **SETTINGS,
        "signer": str(whole.signer_id),
        "definition": whole.version.definition,
        "draft": whole.draft,
    }
    assert (document["solflow"], document["network"]) == (1, "localnet")
    assert [row["name"] for kind in ("signers", "channels", "idls") for row in document[kind]] == [
        "treasury",
        "ops",
        "system",
    ]
    assert document["address_lists"][0]["entries"] == [{"address": RECIPIENT, "label": "Bob"}]


def test_an_export_holds_no_secret(whole: Workflow, alice: Actor, channel: Channel) -> None:
    text = json.dumps(exported(alice))
    assert DISCORD_URL not in text and DISCORD_URL.rsplit("/", 1)[1] not in text
    assert "sealed" not in text and "shown" not in text
    assert set(exported(alice)["signers"][0]) == {"id", "name", "address"}
    assert set(exported(alice)["channels"][0]) == {"id", "name", "type"}


def test_an_export_holds_nothing_of_other_teams_and_nothing_that_was_deleted(
    whole: Workflow, make: Make, alice: Actor, charlie: Actor
) -> None:
    gone = make(name="gone")
    workflow_delete(actor=alice, workflow=gone)
    assert [entry["name"] for entry in exported(alice)["workflows"]] == ["pay the vips"]
    assert exported(charlie)["workflows"] == []


def test_an_import_at_home_makes_the_same_workflow_again_under_another_name_not_enabled(
    whole: Workflow, alice: Actor
) -> None:
    workflow_enable(actor=alice, workflow=whole, enabled_at_slot=7)
    document = exported(alice)

    first, second = (workflows_import(actor=alice, document=document) for _ in range(2))

    assert [made.workflows[0].name for made in (first, second)] == ["pay the vips (2)", "pay the vips (3)"]
    made = first.workflows[0]
    assert wanted(made) == wanted(whole) and made.draft == whole.draft
    assert (made.enabled, made.signer_id, made.version.number) == (False, whole.signer_id, 1)
    assert (first.address_lists, first.idls) == ((), ())
    assert AddressList.objects.count() == Idl.objects.count() == 1


def test_an_import_elsewhere_takes_what_has_the_same_name_and_makes_lists_and_idls(
    whole: Workflow, channel: Channel, alice: Actor, charlie: Actor
) -> None:
    signer = signer_create(actor=charlie, name="treasury")
    hook = channel_create(actor=charlie, name="ops", type="discord", config={"webhook_url": DISCORD_URL})
    channel_create(
        actor=charlie, name="ops", type="slack", config={"webhook_url": "https://hooks.slack.com/services/T0/B0/x"}
    )

    made = workflows_import(actor=charlie, document=exported(alice))

    (workflow,), (vips,), (idl,) = made.workflows, made.address_lists, made.idls
    assert workflow.name == "pay the vips" and workflow.team == charlie.team
    assert workflow.signer_id == signer.id
    definition = workflow.version.definition
    assert definition["notifications"][0]["channel"] == str(hook.id)
    assert workflow.draft["notifications"][0]["channel"] == str(hook.id)
    assert definition["filter"]["value"] == str(vips.id)
    assert definition["actions"][1]["idl"] == str(idl.id)
    assert (vips.team, idl.team) == (charlie.team, charlie.team)
    assert [(entry.address, entry.label) for entry in vips.entries.all()] == [(RECIPIENT, "Bob")]


def test_a_list_and_an_idl_of_the_same_name_are_used_as_they_are(whole: Workflow, alice: Actor, charlie: Actor) -> None:
    signer_create(actor=charlie, name="treasury")
    channel_create(actor=charlie, name="ops", type="discord", config={"webhook_url": DISCORD_URL})
    own_list = address_list_create(actor=charlie, name="vips")
    own_idl = idl_create(actor=charlie, name="system", document=idls.SYSTEM)

    made = workflows_import(actor=charlie, document=exported(alice))

    assert (made.address_lists, made.idls) == ((), ())
    definition = made.workflows[0].version.definition
    assert definition["filter"]["value"] == str(own_list.id)
    assert definition["actions"][1]["idl"] == str(own_idl.id)
    assert not own_list.entries.exists()


def test_what_can_only_be_made_by_a_person_is_told_all_at_once_and_nothing_is_made(
    whole: Workflow, alice: Actor, charlie: Actor
) -> None:
    assert refused(charlie, exported(alice)) == {"signers[0]": "not_found", "channels[0]": "not_found"}
    for model in (Workflow, AddressList, Idl):
        assert not model.objects.filter(team=charlie.team).exists()
    assert not AuditEntry.objects.filter(team=charlie.team).exists()


def test_nobody_guesses_which_of_two_channels_of_one_name_is_meant(
    whole: Workflow, alice: Actor, charlie: Actor
) -> None:
    signer_create(actor=charlie, name="treasury")
    for _ in range(2):
        channel_create(actor=charlie, name="ops", type="discord", config={"webhook_url": DISCORD_URL})
    with pytest.raises(Invalid, match=r'channels\[0\] \("ops"\): this team has 2 discord channels of that name'):
        workflows_import(actor=charlie, document=exported(alice))


def test_a_signer_of_the_same_address_goes_before_one_of_the_same_name(
    make: Make, alice: Actor, charlie: Actor
) -> None:
    key = signer_create(actor=alice, name="treasury")
    make(signer=key)
    document = exported(alice)
    moved = signer_create(actor=charlie, name="treasury")
    document["signers"][0]["address"] = moved.address
    renamed = signer_create(actor=charlie, name="treasury")

    made = workflows_import(actor=charlie, document=document)

    assert made.workflows[0].signer_id == moved.id != renamed.id


def test_rows_of_another_team_are_nobodys_counterparts(whole: Workflow, alice: Actor, charlie: Actor) -> None:
    document = exported(alice)
    for kind in ("signers", "channels", "address_lists", "idls"):
        document[kind] = []
    problems = refused(charlie, document)
    assert problems == {
        "workflows[0].definition.notifications[0].channel": "not_found",
        "workflows[0].definition.filter.value": "not_found",
        "workflows[0].definition.actions[1].idl": "not_found",
        "workflows[0].signer": "not_found",
    }


def test_every_problem_of_every_workflow_is_told_with_its_path_and_nothing_is_made(make: Make, alice: Actor) -> None:
    make()
    document = exported(alice)
    right = document["workflows"][0]
    wrong = [
        {**right, "max_lamports_per_txt": 1},
        {**right, "name": 5},
        {**right, "definition": paying(actions=[{"type": "transfer_sol", "to": RECIPIENT, "lamports": -5}])},
        {**right, "definition": None},
        {key: value for key, value in right.items() if key != "definition"},
        {**right, "definition": paying(actions=[{"type": "memo", "text": DISCORD_URL}])},
        {**right, "draft": [1]},
        {**right, "signer": "treasury"},
    ]
    document["workflows"] = [right, *wrong]
    before = AuditEntry.objects.count()

    assert refused(alice, document) == {
        "workflows[1].max_lamports_per_txt": "unknown_key",
        "workflows[2].name": "wrong_type",
        "workflows[3].definition.actions[0].lamports": "out_of_range",
        "workflows[4].definition": "required",
        "workflows[5].definition": "required",
        "workflows[6].definition.actions[0].text": "secret",
        "workflows[7].draft": "wrong_type",
        "workflows[8].signer": "not_found",
    }
    assert (Workflow.objects.count(), AuditEntry.objects.count()) == (1, before)


def test_an_idl_that_is_none_is_refused_at_its_place(whole: Workflow, alice: Actor, charlie: Actor) -> None:
    signer_create(actor=charlie, name="treasury")
    channel_create(actor=charlie, name="ops", type="discord", config={"webhook_url": DISCORD_URL})
    document = exported(alice)
    document["idls"][0]["document"] = {"instructions": "none"}
    assert list(refused(charlie, document)) == ["idls[0].document.instructions"]
    assert not AddressList.objects.filter(team=charlie.team).exists()


def test_an_idl_of_the_same_name_for_another_program_is_refused(whole: Workflow, alice: Actor, charlie: Actor) -> None:
    signer_create(actor=charlie, name="treasury")
    channel_create(actor=charlie, name="ops", type="discord", config={"webhook_url": DISCORD_URL})
    document = {key: value for key, value in idls.SYSTEM.items() if key not in ("address", "metadata")}
    idl_create(actor=charlie, name="system", document=document, program_id=WATCHED)
    assert refused(charlie, exported(alice)) == {"idls[0]": "already_exists"}


def test_what_no_workflow_names_is_neither_needed_nor_made(whole: Workflow, alice: Actor, charlie: Actor) -> None:
    document = {**exported(alice), "workflows": [{"name": "plain", "definition": {"trigger": {"type": "manual"}}}]}
    made = workflows_import(actor=charlie, document=document)
    assert ([row.name for row in made.workflows], made.address_lists, made.idls) == (["plain"], (), ())


def test_a_signer_that_was_deleted_is_not_exported(make: Make, signer: Signer, alice: Actor) -> None:
    make(signer=signer)
    signer_delete(actor=alice, signer=signer)
    document = exported(alice)
    assert (document["workflows"][0]["signer"], document["signers"]) == (None, [])


def test_an_import_is_in_the_audit_log_once_and_each_workflow_too(whole: Workflow, alice: Actor) -> None:
    before = AuditEntry.objects.latest("id").pk
    workflows_import(actor=alice, document=exported(alice))
    written = AuditEntry.objects.filter(pk__gt=before).order_by("id")
    assert [entry.action for entry in written] == ["workflow_created", "workflows_imported"]
    assert written[1].detail == {"workflows": 1, "address_lists": [], "idls": []}
    assert {entry.actor for entry in written} == {"user:alice"}


def test_a_duplicate_wants_the_same_and_is_not_enabled(whole: Workflow, alice: Actor) -> None:
    workflow_enable(actor=alice, workflow=whole, enabled_at_slot=7)
    twin = workflow_duplicate(actor=alice, workflow=whole)
    assert (twin.name, twin.enabled, twin.signer_id) == ("pay the vips (2)", False, whole.signer_id)
    assert wanted(twin) == wanted(whole) and twin.draft == whole.draft


def test_a_workflow_that_names_a_deleted_channel_has_no_duplicate(
    whole: Workflow, channel: Channel, alice: Actor
) -> None:
    channel_delete(actor=alice, channel=channel)
    with pytest.raises(Invalid, match="there is no channel"):
        workflow_duplicate(actor=alice, workflow=whole)


def test_the_commands_carry_workflows_through_a_file(whole: Workflow, tmp_path: Path, alice: Actor) -> None:
    file, out = tmp_path / "export.json", io.StringIO()
    call_command("export_workflows", output=file, stderr=io.StringIO())
    workflow_delete(actor=alice, workflow=whole)

    call_command("import_workflows", str(file), stdout=out)

    made = Workflow.objects.get(deleted_at=None)
    assert made.name == "pay the vips" and not made.enabled
    assert f"workflow {made.pk} pay the vips" in out.getvalue()
    assert AuditEntry.objects.latest("id").actor == "system:command"


def test_standard_output_is_the_document_and_nothing_else(whole: Workflow, make: Make) -> None:
    make(name="other")
    out = io.StringIO()
    call_command("export_workflows", workflow=["other"], stdout=out)
    assert [entry["name"] for entry in json.loads(out.getvalue())["workflows"]] == ["other"]


def test_standard_input_is_read_for_a_dash(make: Make, monkeypatch: pytest.MonkeyPatch, alice: Actor) -> None:
    make()
    stream = io.TextIOWrapper(io.BytesIO(json.dumps(exported(alice)).encode()))
    monkeypatch.setattr("sys.stdin", stream)
    call_command("import_workflows", "-", stdout=io.StringIO())
    assert Workflow.objects.filter(name="pay (2)").exists()


def test_the_commands_refuse_in_words(tmp_path: Path, make: Make, charlie: Actor) -> None:
    make()
    broken = tmp_path / "broken.json"
    broken.write_text('{"solflow": 1, "workflows": [{"name": "x"}]}')
    for command, words in (
        (["import_workflows", str(tmp_path / "nowhere.json")], "cannot be read"),
        (["import_workflows", str(broken)], r"nothing was changed:\n  workflows\[0\].definition: "),
        (["import_workflows", str(broken), "--team", "Nobody"], "no team 'Nobody'"),
        (["export_workflows", "--workflow", "nothing"], "no workflow 'nothing'"),
        (["export_workflows", "--team", "Others", "--workflow", "pay"], "no workflow 'pay'"),
        (["export_workflows", "--output", str(tmp_path / "no" / "folder.json")], "cannot be written"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command(*command, stdout=io.StringIO())
