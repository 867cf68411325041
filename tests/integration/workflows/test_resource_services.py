from __future__ import annotations

import json
from collections.abc import Callable

import base58
import pytest
from solders.keypair import Keypair

from accounts.actors import Actor
from accounts.errors import Invalid, Missing, Refused
from accounts.models import AuditEntry
from accounts.sealing import unseal
from tests.integration.workflows.conftest import DISCORD_URL, RECIPIENT, WATCHED, paying
from workflows.models import AddressList, Channel, Signer, Workflow
from workflows.services import (
    address_list_create,
    address_list_delete,
    address_list_update,
    channel_create,
    channel_delete,
    channel_update,
    idl_create,
    idl_update,
    signer_create,
    signer_delete,
    signer_pause,
    signer_resume,
    signer_update,
    workflow_disable,
    workflow_enable,
)

Make = Callable[..., Workflow]
OTHER_URL = DISCORD_URL.replace("0123", "4567")


def test_an_imported_key_is_sealed_for_its_row_and_opens_to_the_same_bytes(alice: Actor) -> None:
    keypair = Keypair()
    for form in (base58.b58encode(bytes(keypair)).decode(), str(list(bytes(keypair))), list(bytes(keypair))):
        signer = signer_create(actor=alice, name="imported", secret_key=form)
        assert signer.address == str(keypair.pubkey())
        assert unseal("signer", signer.id, signer.sealed) == bytes(keypair)
        signer_delete(actor=alice, signer=signer)


def test_a_signer_without_a_key_gets_a_new_one_each_time(alice: Actor) -> None:
    one, two = signer_create(actor=alice, name="a"), signer_create(actor=alice, name="b")
    assert one.address != two.address
    assert str(Keypair.from_bytes(unseal("signer", one.id, one.sealed)).pubkey()) == one.address


def test_what_is_wrong_with_a_key_is_said_without_the_key(alice: Actor) -> None:
    secret = base58.b58encode(bytes(Keypair())).decode()
    for wrong in (secret[:-2] + "zz", secret + "0", str(list(range(63)))):
        with pytest.raises(Invalid) as error:
            signer_create(actor=alice, name="x", secret_key=wrong)
        chain: BaseException | None = error.value
        while chain is not None:
            assert secret[:20] not in repr(chain)
            chain = chain.__context__
        assert error.value.errors[0].path == "secret_key"


def test_one_key_is_one_signer_whichever_team_has_it(alice: Actor, charlie: Actor) -> None:
    secret = base58.b58encode(bytes(Keypair())).decode()
    signer_create(actor=alice, name="first", secret_key=secret)
    with pytest.raises(Refused) as error:
        signer_create(actor=charlie, name="second", secret_key=secret)
    assert error.value.code == "already_exists"


def test_a_deleted_signers_key_can_come_back(alice: Actor) -> None:
    secret = base58.b58encode(bytes(Keypair())).decode()
    signer_delete(actor=alice, signer=signer_create(actor=alice, name="first", secret_key=secret))
    assert signer_create(actor=alice, name="second", secret_key=secret).name == "second"


def test_the_audit_log_of_a_signer_holds_its_address_and_not_its_key(alice: Actor) -> None:
    keypair = Keypair()
    signer_create(actor=alice, name="x", secret_key=list(bytes(keypair)))
    entry = AuditEntry.objects.get(action="signer_created")
    assert entry.detail == {"address": str(keypair.pubkey()), "imported": True, "backend": "local"}


def test_a_signer_of_an_enabled_workflow_cannot_be_deleted(alice: Actor, signer: Signer, make: Make) -> None:
    workflow = workflow_enable(actor=alice, workflow=make(signer=signer), enabled_at_slot=1)
    with pytest.raises(Refused) as error:
        signer_delete(actor=alice, signer=signer)
    assert (error.value.code, "pay" in error.value.detail) == ("signer_in_use", True)
    workflow_disable(actor=alice, workflow=workflow)
    signer_delete(actor=alice, signer=signer)
    with pytest.raises(Missing):
        signer_pause(actor=alice, signer=signer, reason="")


def test_a_signers_pause_and_limit_are_changed_alone(alice: Actor, signer: Signer) -> None:
    signer_pause(actor=alice, signer=signer, reason="key may be known")
    changed = signer_update(actor=alice, signer=signer, changes={"max_lamports_per_day": 5})
    assert (changed.paused_reason, changed.max_lamports_per_day) == ("key may be known", 5)
    assert signer_resume(actor=alice, signer=changed).paused_at is None


def test_a_channels_secret_is_sealed_and_only_its_mask_is_kept_in_the_open(alice: Actor, channel: Channel) -> None:
    assert json.loads(unseal("channel", channel.id, channel.sealed)) == {"webhook_url": DISCORD_URL}
    assert channel.shown == {"webhook_url": "discord.com/…0123"}
    assert DISCORD_URL[-20:] not in str(AuditEntry.objects.get(action="channel_created").detail)


def test_a_masked_value_that_comes_back_leaves_the_secret(alice: Actor, channel: Channel) -> None:
    changed = channel_update(actor=alice, channel=channel, changes={"name": "new", "config": dict(channel.shown)})
    assert changed.name == "new"
    assert json.loads(unseal("channel", channel.id, changed.sealed)) == {"webhook_url": DISCORD_URL}


def test_a_new_secret_takes_a_failing_channel_back_into_service(alice: Actor, channel: Channel) -> None:
    Channel.objects.filter(pk=channel.pk).update(disabled_at=channel.created_at, disabled_reason="404")
    changed = channel_update(actor=alice, channel=channel, changes={"config": {"webhook_url": OTHER_URL}})
    assert (changed.disabled_at, changed.disabled_reason) == (None, "")
    assert json.loads(unseal("channel", channel.id, changed.sealed)) == {"webhook_url": OTHER_URL}


def test_a_wrong_channel_is_refused_without_repeating_its_secret(alice: Actor) -> None:
    url = DISCORD_URL.replace("https://discord.com", "https://discord.com.example.org")
    with pytest.raises(Invalid) as error:
        channel_create(actor=alice, name="x", type="discord", config={"webhook_url": url})
    assert error.value.errors[0].path == "config.webhook_url"
    assert "abcdefgh" not in str(error.value) + repr(error.value.errors)


@pytest.mark.parametrize(("kind", "path"), [("pager", "type"), ("telegram", "config.bot_token")])
def test_an_unknown_type_or_a_missing_secret_is_refused(alice: Actor, kind: str, path: str) -> None:
    with pytest.raises(Invalid) as error:
        channel_create(actor=alice, name="x", type=kind, config={})
    assert error.value.errors[0].path == path


def test_a_channel_of_an_enabled_workflow_cannot_be_deleted(alice: Actor, channel: Channel, make: Make) -> None:
    definition = paying(actions=[], notifications=[{"channel": str(channel.id), "on": ["success"]}])
    workflow = workflow_enable(actor=alice, workflow=make(definition), enabled_at_slot=1)
    with pytest.raises(Refused):
        channel_delete(actor=alice, channel=channel)
    workflow_disable(actor=alice, workflow=workflow)
    channel_delete(actor=alice, channel=channel)
    channel.refresh_from_db()
    assert channel.deleted_at is not None


def test_changed_entries_replace_all_and_make_a_new_version_of_the_list(alice: Actor) -> None:
    made = address_list_create(actor=alice, name="friends", entries=[{"address": WATCHED, "label": "treasury"}])
    assert (made.version, made.size) == (1, 1)
    changed = address_list_update(actor=alice, address_list=made, changes={"entries": [{"address": RECIPIENT}]})
    assert [(entry.address, entry.label) for entry in changed.entries.all()] == [(RECIPIENT, "")]
    renamed = address_list_update(actor=alice, address_list=changed, changes={"name": "buddies"})
    assert (renamed.version, renamed.size, renamed.name) == (2, 1, "buddies")


def test_a_list_that_an_enabled_filter_looks_in_cannot_be_deleted(alice: Actor, make: Make) -> None:
    made = address_list_create(actor=alice, name="friends")
    condition = {"field": "event.owner", "op": "in_list", "value": str(made.id)}
    workflow_enable(actor=alice, workflow=make(paying(actions=[], filter=condition)), enabled_at_slot=1)
    with pytest.raises(Refused):
        address_list_delete(actor=alice, address_list=made)
    assert AddressList.objects.filter(pk=made.pk).exists()


def test_two_lists_of_a_team_have_two_names(alice: Actor, charlie: Actor) -> None:
    address_list_create(actor=alice, name="friends")
    address_list_create(actor=charlie, name="friends")
    other = address_list_create(actor=alice, name="buddies")
    with pytest.raises(Refused):
        address_list_update(actor=alice, address_list=other, changes={"name": "friends"})


def test_an_idl_takes_its_program_from_the_document_in_either_format(alice: Actor) -> None:
    new = {"address": WATCHED, "metadata": {"name": "x"}, "instructions": []}
    old = {"version": "0.1.0", "name": "x", "instructions": [], "metadata": {"address": RECIPIENT}}
    assert idl_create(actor=alice, name="new", document=new).program_id == WATCHED
    assert idl_create(actor=alice, name="old", document=old).program_id == RECIPIENT


def test_an_idl_of_another_program_is_refused(alice: Actor) -> None:
    with pytest.raises(Invalid) as error:
        idl_create(actor=alice, name="x", document={"address": WATCHED, "instructions": []}, program_id=RECIPIENT)
    assert [(problem.path, problem.code) for problem in error.value.errors] == [("program_id", "other_program")]


def test_an_idl_that_names_no_program_needs_one(alice: Actor) -> None:
    idl = idl_create(actor=alice, name="x", document={"instructions": []}, program_id=WATCHED)
    changed = idl_update(actor=alice, idl=idl, changes={"name": "y"})
    assert (changed.name, changed.program_id) == ("y", WATCHED)
    with pytest.raises(Invalid):
        idl_create(actor=alice, name="z", document={"instructions": []})
