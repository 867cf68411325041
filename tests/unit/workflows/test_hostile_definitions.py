"""Definitions that are wrong, careless or malicious: each is refused with its path and code, and quotes no secret."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from solders.keypair import Keypair

from tests.unit.workflows.definitions import (
    ALICE,
    BOB,
    ID,
    MINT,
    PROGRAM,
    RIGHT,
    SIGNATURE,
    with_action,
    with_condition,
    with_notification,
    with_part,
    with_trigger,
)
from workflows.specs.errors import SpecErrors
from workflows.specs.workflow import parse

KEY = Keypair.from_seed(bytes(range(32)))
WEBHOOK = "https://discord.com/api/webhooks/123456789012345678/aBcDeF-ghIJKlmnop"


def sol(**changes: Any) -> dict[str, Any]:
    return with_action(**{"type": "transfer_sol", "to": BOB, "lamports": 1000, **changes})


def token(**changes: Any) -> dict[str, Any]:
    return with_action(**{"type": "transfer_token", "mint": MINT, "to": BOB, "amount": 5, **changes})


def raw_call(**changes: Any) -> dict[str, Any]:
    return with_action(**{"type": "call_program", "program_id": PROGRAM, "accounts": [], "data": "AA==", **changes})


def idl_call(**changes: Any) -> dict[str, Any]:
    call = {"type": "call_program", "program_id": PROGRAM, "idl": ID, "instruction": "go", **changes}
    return with_action(**call)


def memo(text: Any) -> dict[str, Any]:
    return with_action(type="memo", text=text)


def balance(**changes: Any) -> dict[str, Any]:
    return with_trigger(**{"type": "balance_change", "address": ALICE, **changes})


def log(**changes: Any) -> dict[str, Any]:
    return with_trigger(type="program_log", program_id=PROGRAM, **changes)


def receipt(**changes: Any) -> dict[str, Any]:
    return with_trigger(type="token_receipt", wallet=ALICE, mint=MINT, **changes)


def schedule(**changes: Any) -> dict[str, Any]:
    return with_trigger(**{"type": "schedule", "cron": "* * * * *", **changes})


def accounts(**changes: Any) -> dict[str, Any]:
    return with_trigger(type="program_account_change", program_id=PROGRAM, **changes)


def nested(levels: int) -> dict[str, Any]:
    part: dict[str, Any] = {"field": "event.slot", "op": "exists"}
    for _ in range(levels):
        part = {"not": part}
    return with_part(filter=part)


def without(key: str) -> dict[str, Any]:
    return {name: part for name, part in RIGHT.items() if name != key}


def text(**replacements: str) -> str:
    """The right definition as JSON text with pieces of the text replaced, as Python values could not say it."""
    written = json.dumps(RIGHT)
    for old, new in replacements.items():
        assert old in written
        written = written.replace(old, new)
    return written


HOSTILE: list[tuple[Any, str, str]] = [
    # no document at all
    ("", "", "invalid_json"),
    ("{", "", "invalid_json"),
    ("nonsense", "", "invalid_json"),
    (b"\xff\xfe{}", "", "invalid_json"),
    (b"\xef\xbb\xbf{}", "", "invalid_json"),
    ("[]", "", "wrong_type"),
    ("null", "", "wrong_type"),
    ('"text"', "", "wrong_type"),
    ([], "", "wrong_type"),
    (None, "", "wrong_type"),
    ("[" * 60_000, "", "too_deep"),
    ('{"a":' * 10_000, "", "too_deep"),
    (" " * 70_000, "", "too_large"),
    ({"trigger": {"type": "manual"}, "x": ["a"] * 70_000}, "", "too_large"),
    # JSON that Python would take and nobody should
    (text(increase='any", "direction": "increase'), "trigger.direction", "duplicate_key"),
    ('{"trigger": {"type": "manual"}, "trigger": {"type": "manual"}}', "trigger", "duplicate_key"),
    (text(**{": 1000": ": NaN"}), "actions[0].lamports", "not_finite"),
    (text(**{": 1000": ": Infinity"}), "actions[0].lamports", "not_finite"),
    (text(**{": 1000": ": 1e999"}), "actions[0].lamports", "not_finite"),
    (text(**{": 1000": ": 1" + "0" * 5000}), "actions[0].lamports", "out_of_range"),
    (text(**{": 1000": ": 1e3"}), "actions[0].lamports", "float_amount"),
    (text(**{BOB: "\\ud800" + BOB[6:]}), "actions[0].to", "bad_text"),
    (text(**{BOB: "\\u0000" + BOB[6:]}), "actions[0].to", "bad_text"),
    (with_part(**{"\x00": 1}), '"�"', "bad_text"),
    ({**RIGHT, 5: 1}, "", "not_json"),
    (with_part(actions={1, 2}), "actions", "not_json"),
    (with_part(actions=[object()]), "actions[0]", "not_json"),
    # the document's own keys
    ({}, "trigger", "required"),
    (without("trigger"), "trigger", "required"),
    (with_part(trigger=None), "trigger", "wrong_type"),
    (with_part(schema=2), "schema", "unknown_schema"),
    (with_part(schema="1"), "schema", "unknown_schema"),
    (with_part(schema=True), "schema", "unknown_schema"),
    (with_part(schema=1.0), "schema", "unknown_schema"),
    (with_part(signer=ALICE), "signer", "unknown_key"),
    (with_part(__class__="x"), "__class__", "unknown_key"),
    (with_part(actions={}), "actions", "wrong_type"),
    (with_part(actions=None), "actions", "wrong_type"),
    (with_part(actions="transfer_sol"), "actions", "wrong_type"),
    (with_part(actions=[RIGHT["actions"][0]] * 9), "actions", "too_long"),
    (with_part(notifications=[RIGHT["notifications"][0]] * 11), "notifications", "too_long"),
    # triggers
    (with_trigger(), "trigger.type", "required"),
    (with_trigger(type="price_change"), "trigger.type", "unknown_type"),
    (with_trigger(type=["manual"]), "trigger.type", "unknown_type"),
    (with_trigger(type="\x00manual"), "trigger.type", "bad_text"),
    (with_trigger(type="manual", data={}), "trigger.data", "unknown_key"),
    (with_trigger(type="balance_change"), "trigger.address", "required"),
    (balance(address="abc"), "trigger.address", "not_an_address"),
    (balance(address=ALICE[:-1]), "trigger.address", "not_an_address"),
    (balance(address=ALICE + "1"), "trigger.address", "not_an_address"),
    (balance(address=ALICE.replace("N", "0")), "trigger.address", "not_an_address"),
    (balance(address=" " + ALICE), "trigger.address", "not_an_address"),
    (balance(address=SIGNATURE), "trigger.address", "not_an_address"),
    (balance(address="{{ event.account }}"), "trigger.address", "bad_template"),
    (balance(address=None), "trigger.address", "wrong_type"),
    (balance(direction="up"), "trigger.direction", "not_allowed"),
    (balance(min_change=0), "trigger.min_change", "out_of_range"),
    (balance(min_change=-5), "trigger.min_change", "out_of_range"),
    (balance(min_change=0.5), "trigger.min_change", "float_amount"),
    (balance(min_change=True), "trigger.min_change", "not_an_amount"),
    (balance(min_change="0.5"), "trigger.min_change", "unit_missing"),
    (balance(min_change="5 sox"), "trigger.min_change", "not_an_amount"),
    (balance(min_change="max"), "trigger.min_change", "not_an_amount"),
    (accounts(memcmp=[{"offset": -1, "bytes": "3Mc6vR"}]), "trigger.memcmp[0].offset", "out_of_range"),
    (accounts(memcmp=[{"offset": 0, "bytes": "0OIl"}]), "trigger.memcmp[0].bytes", "bad_encoding"),
    (accounts(memcmp=[{"offset": 0, "bytes": ""}]), "trigger.memcmp[0].bytes", "out_of_range"),
    (accounts(memcmp=[{"offset": 0, "bytes": "1" * 129}]), "trigger.memcmp[0].bytes", "out_of_range"),
    (accounts(memcmp=[{"offset": 0, "byte": "1"}]), "trigger.memcmp[0].byte", "unknown_key"),
    (accounts(memcmp=[{"offset": 0, "bytes": "1"}] * 5), "trigger.memcmp", "too_long"),
    (accounts(memcmp=[{"offset": 9, "bytes": "11"}], data_size=10), "trigger.memcmp[0]", "beyond_data_size"),
    (accounts(data_size=-1), "trigger.data_size", "out_of_range"),
    (accounts(data_size="8"), "trigger.data_size", "wrong_type"),
    (with_trigger(type="token_receipt", mint=MINT), "trigger", "one_of"),
    (with_trigger(type="token_receipt", mint=MINT, wallet=ALICE, token_account=BOB), "trigger", "one_of"),
    (with_trigger(type="token_receipt", wallet=ALICE), "trigger.mint", "required"),
    (receipt(min_amount=1.5), "trigger.min_amount", "float_amount"),
    (receipt(min_amount="0.0"), "trigger.min_amount", "out_of_range"),
    (with_trigger(type="nft_receipt", wallet=ALICE, verified_only="yes"), "trigger.verified_only", "wrong_type"),
    (log(), "trigger", "one_of"),
    (log(pattern="a", event="E", idl=ID), "trigger", "one_of"),
    (log(event="E"), "trigger.idl", "required"),
    (log(idl=ID), "trigger.event", "required"),
    (log(event="E", idl="main"), "trigger.idl", "not_an_id"),
    (log(pattern="("), "trigger.pattern", "bad_pattern"),
    (log(pattern="(?=lookahead)"), "trigger.pattern", "bad_pattern"),
    (log(pattern=r"(a)\1"), "trigger.pattern", "bad_pattern"),
    (log(pattern="((a{100}){100}){100}"), "trigger.pattern", "bad_pattern"),
    (log(pattern="(x{1,30}){1,30}"), "trigger.pattern", "bad_pattern"),
    (log(pattern="a" * 600), "trigger.pattern", "too_long"),
    (log(pattern=""), "trigger.pattern", "too_short"),
    (log(pattern="a", on_truncated="pay"), "trigger.on_truncated", "not_allowed"),
    (with_trigger(type="transaction_status"), "trigger", "one_of"),
    (with_trigger(type="transaction_status", account=ALICE, program_id=PROGRAM), "trigger", "one_of"),
    (with_trigger(type="transaction_status", signature=ALICE), "trigger.signature", "not_a_signature"),
    (schedule(cron="* * * *"), "trigger.cron", "bad_cron"),
    (schedule(cron="* * * * * *"), "trigger.cron", "bad_cron"),
    (schedule(cron="60 * * * *"), "trigger.cron", "bad_cron"),
    (schedule(cron="0 0 30 2 *"), "trigger.cron", "bad_cron"),
    (schedule(cron="@reboot"), "trigger.cron", "bad_cron"),
    (schedule(cron="*," * 60), "trigger.cron", "too_long"),
    (schedule(timezone="Mars/Base"), "trigger.timezone", "unknown_timezone"),
    (schedule(timezone="../../etc/passwd"), "trigger.timezone", "unknown_timezone"),
    (schedule(timezone="America"), "trigger.timezone", "unknown_timezone"),
    (with_trigger(type="webhook", auth="none"), "trigger.auth", "not_allowed"),
    # filters
    (with_part(filter={}), "filter", "not_a_condition"),
    (with_part(filter=[]), "filter", "not_a_condition"),
    (with_part(filter="true"), "filter", "not_a_condition"),
    (with_part(filter={"all": []}), "filter.all", "too_short"),
    (with_part(filter={"any": []}), "filter.any", "too_short"),
    (with_part(filter={"not": None}), "filter.not", "not_a_condition"),
    (with_part(filter={"all": {"field": "event.slot"}}), "filter.all", "wrong_type"),
    (with_part(filter={"all": [{"field": "event.slot", "op": "exists"}], "any": []}), "filter.any", "unknown_key"),
    (with_part(filter={"none": []}), "filter.none", "unknown_key"),
    (with_part(filter={"all": [{"field": "event.slot", "op": "exists"}] * 101}), "filter.all", "too_long"),
    (
        with_part(filter={"any": [{"all": [{"field": "event.slot", "op": "exists"}] * 60}] * 2}),
        "filter",
        "too_many",
    ),
    (
        with_part(filter={"any": [{"field": "event.owner", "op": "regex", "value": "a"}] * 11}),
        "filter",
        "too_many",
    ),
    (nested(9), "filter" + ".not" * 9, "too_deep"),
    (nested(33), "filter" + ".not" * 31, "too_deep"),
    (with_condition(field="slot", value=1), "filter.field", "bad_field"),
    (with_condition(field="event", value=1), "filter.field", "bad_field"),
    (with_condition(field="event..slot", value=1), "filter.field", "bad_field"),
    (with_condition(field="event.a b", value=1), "filter.field", "bad_field"),
    (with_condition(field="workflow.name", value="x"), "filter.field", "bad_field"),
    (with_condition(field="event" + ".a" * 11, value=1), "filter.field", "bad_field"),
    (with_condition(field=["event.slot"], value=1), "filter.field", "wrong_type"),
    (with_condition(op="like", value=1), "filter.op", "not_allowed"),
    (with_condition(op="eq"), "filter.value", "required"),
    (with_condition(op="eq", value={"a": 1}), "filter.value", "wrong_value"),
    (with_condition(op="eq", value=[1]), "filter.value", "wrong_value"),
    (with_condition(op="gt", value="many"), "filter.value", "wrong_value"),
    (with_condition(op="gt", value=None), "filter.value", "wrong_value"),
    (with_condition(op="gt", value=True), "filter.value", "wrong_value"),
    (with_condition(op="in", value=5), "filter.value", "wrong_value"),
    (with_condition(op="in", value=[]), "filter.value", "wrong_value"),
    (with_condition(op="in", value=[[1]]), "filter.value", "wrong_value"),
    (with_condition(op="in", value=list(range(501))), "filter.value", "wrong_value"),
    (with_condition(op="in_list", value="whales"), "filter.value", "wrong_value"),
    (with_condition(op="exists", value=False), "filter.value", "no_value_taken"),
    (with_condition(op="changed", value=5), "filter.value", "no_value_taken"),
    (with_condition(field="event.owner", op="regex", value="("), "filter.value", "wrong_value"),
    (with_condition(field="event.owner", op="regex", value=5), "filter.value", "wrong_value"),
    (with_condition(field="event.owner", op="starts_with", value=""), "filter.value", "wrong_value"),
    (with_condition(field="event.owner", op="eq", value="x" * 1025), "filter.value", "wrong_value"),
    (with_condition(field="event.lamports", op="gte", value=0.5), "filter.value", "wrong_value_type"),
    (with_condition(field="event.lamports", op="eq", value="much"), "filter.value", "wrong_value_type"),
    (with_condition(field="event.lamports", op="in", value=[1, "x"]), "filter.value[1]", "wrong_value_type"),
    (with_condition(field="event.lamports", op="contains", value="5"), "filter.op", "wrong_operator"),
    (with_condition(field="event.owner", op="gt", value=5), "filter.op", "wrong_operator"),
    (with_condition(field="event.lamports", op="gte", value="0.0000000001 SOL"), "filter.value", "wrong_value"),
    # actions
    (with_action(), "actions[0].type", "required"),
    (with_action(type="swap"), "actions[0].type", "unknown_type"),
    (with_part(actions=[5]), "actions[0]", "wrong_type"),
    (sol(lamprots=1), "actions[0].lamprots", "unknown_key"),
    (with_action(type="transfer_sol", to=BOB), "actions[0].lamports", "required"),
    (sol(owner="abc"), "actions[0].owner", "not_an_address"),
    (sol(owner="{{ event.account }}"), "actions[0].owner", "bad_template"),
    (sol(owner=7), "actions[0].owner", "wrong_type"),
    (sol(**{"from": ALICE}), "actions[0].from", "unknown_key"),
    (token(owner="{{ event.account }}"), "actions[0].owner", "bad_template"),
    (memo("hi") | {"actions": [{"type": "memo", "text": "hi", "owner": ALICE}]}, "actions[0].owner", "unknown_key"),
    (sol(to="nowhere"), "actions[0].to", "not_an_address"),
    (sol(to=5), "actions[0].to", "wrong_type"),
    (sol(lamports=0), "actions[0].lamports", "out_of_range"),
    (sol(lamports=-1), "actions[0].lamports", "out_of_range"),
    (sol(lamports=2**64), "actions[0].lamports", "out_of_range"),
    (sol(lamports=10**60), "actions[0].lamports", "out_of_range"),
    (sol(lamports=0.1), "actions[0].lamports", "float_amount"),
    (sol(lamports=1000.0), "actions[0].lamports", "float_amount"),
    (sol(lamports=True), "actions[0].lamports", "not_an_amount"),
    (sol(lamports=None), "actions[0].lamports", "not_an_amount"),
    (sol(lamports=[1]), "actions[0].lamports", "not_an_amount"),
    (sol(lamports="1000"), "actions[0].lamports", "unit_missing"),
    (sol(lamports="1e3 SOL"), "actions[0].lamports", "not_an_amount"),
    (sol(lamports="-1 SOL"), "actions[0].lamports", "not_an_amount"),
    (sol(lamports="+1 SOL"), "actions[0].lamports", "not_an_amount"),
    (sol(lamports="1,5 SOL"), "actions[0].lamports", "not_an_amount"),
    (sol(lamports="٣ SOL"), "actions[0].lamports", "not_an_amount"),
    (sol(lamports="0x10 SOL"), "actions[0].lamports", "not_an_amount"),
    (sol(lamports="0.0000000001 SOL"), "actions[0].lamports", "too_precise"),
    (sol(lamports="1.5 lamports"), "actions[0].lamports", "too_precise"),
    (sol(lamports="99999999999999999999 SOL"), "actions[0].lamports", "out_of_range"),
    (sol(keep=5), "actions[0].keep", "keep_without_max"),
    (sol(lamports="max", keep=-1), "actions[0].keep", "out_of_range"),
    (token(mint="USDC"), "actions[0].mint", "not_an_address"),
    (token(amount=1.5), "actions[0].amount", "float_amount"),
    (token(amount="1.5 USDC"), "actions[0].amount", "not_an_amount"),
    (token(amount="all"), "actions[0].amount", "not_an_amount"),
    (token(amount=0), "actions[0].amount", "out_of_range"),
    (token(create_recipient_account="true"), "actions[0].create_recipient_account", "wrong_type"),
    (raw_call(program_id="{{ event.program_id }}"), "actions[0].program_id", "bad_template"),
    (raw_call(data="not base64!"), "actions[0].data", "bad_encoding"),
    (raw_call(data="zz", encoding="hex"), "actions[0].data", "bad_encoding"),
    (raw_call(data="0OIl", encoding="base58"), "actions[0].data", "bad_encoding"),
    (raw_call(encoding="utf8"), "actions[0].encoding", "not_allowed"),
    (raw_call(data=base64.b64encode(b"x" * 1233).decode()), "actions[0].data", "out_of_range"),
    (raw_call(accounts=[{"address": "x"}]), "actions[0].accounts[0].address", "not_an_address"),
    (raw_call(accounts=[{"address": BOB, "signer": 1}]), "actions[0].accounts[0].signer", "wrong_type"),
    (raw_call(accounts=[{"address": BOB}] * 65), "actions[0].accounts", "too_long"),
    (raw_call(accounts={"from": BOB}), "actions[0].accounts", "wrong_type"),
    (raw_call(lookup_tables=[MINT, MINT]), "actions[0].lookup_tables", "repeated"),
    (idl_call(data="AA=="), "actions[0].data", "unknown_key"),
    (idl_call(accounts=[]), "actions[0].accounts", "wrong_type"),
    (idl_call(accounts={"a b": BOB}), "actions[0].accounts.\"a b\"", "bad_name"),
    (idl_call(accounts={"vault": "x"}), "actions[0].accounts.vault", "not_an_address"),
    (idl_call(instruction="no-good"), "actions[0].instruction", "bad_name"),
    (idl_call(args={"x": {"y": ["{{ nothing }}"]}}), "actions[0].args.x.y[0]", "bad_template"),
    (memo(""), "actions[0].text", "too_short"),
    (memo("x" * 567), "actions[0].text", "out_of_range"),
    (memo("é" * 300), "actions[0].text", "out_of_range"),
    # templates
    (memo("{{"), "actions[0].text", "bad_template"),
    (memo("{{ }}"), "actions[0].text", "bad_template"),
    (memo("{{ event.slot"), "actions[0].text", "bad_template"),
    (memo("{{ event.__class__() }}"), "actions[0].text", "bad_template"),
    (memo("{{ open('/etc/passwd') }}"), "actions[0].text", "bad_template"),
    (memo("{% for x in y %}{{ x }}"), "actions[0].text", "bad_template"),
    (memo("{{ settings.SECRET_KEY }}"), "actions[0].text", "bad_template"),
    (memo("{{ event.slot | upper }}"), "actions[0].text", "bad_template"),
    (memo("{{ 9 ** 9 ** 9 }}"), "actions[0].text", "bad_template"),
    (memo("{{ transaction.signature }}"), "actions[0].text", "bad_template"),
    (memo("{{ " + "(" * 100 + "1" + ")" * 100 + " }}"), "actions[0].text", "bad_template"),
    (memo("{{ " + "1+" * 400 + "1 }}"), "actions[0].text", "bad_template"),
    (memo("{{ 1 }}" * 100), "actions[0].text", "bad_template"),
    (sol(to="{{ event.account"), "actions[0].to", "bad_template"),
    (sol(lamports="{{ event.lamports * 0.95 }}"), "actions[0].lamports", "bad_template"),
    (sol(lamports="{{ event.lamports / 2 }}"), "actions[0].lamports", "bad_template"),
    (sol(lamports="{{ event.lamports }} SOL"), "actions[0].lamports", "bad_template"),
    (sol(lamports="{{ 5 - 5 }}"), "actions[0].lamports", "bad_template"),
    (sol(lamports="{{ 1 // 0 }}"), "actions[0].lamports", "bad_template"),
    (sol(lamports="{{ 18446744073709551616 }}"), "actions[0].lamports", "bad_template"),
    # notifications
    (with_notification(channel="discord"), "notifications[0].channel", "not_an_id"),
    (with_notification(channel="{" + ID + "}"), "notifications[0].channel", "not_an_id"),
    (with_notification(channel=ID.replace("-", "")), "notifications[0].channel", "not_an_id"),
    (with_notification(on=[]), "notifications[0].on", "too_short"),
    (with_notification(on=["success", "success"]), "notifications[0].on", "repeated"),
    (with_notification(on=["always"]), "notifications[0].on[0]", "not_allowed"),
    (with_notification(on="success"), "notifications[0].on", "wrong_type"),
    (with_notification(template="fancy"), "notifications[0].template", "not_allowed"),
    (with_notification(title="x" * 257), "notifications[0].title", "too_long"),
    (with_notification(message="x" * 4097), "notifications[0].message", "too_long"),
    (with_notification(message="{{ event.slot }"), "notifications[0].message", "bad_template"),
    (with_notification(color="red"), "notifications[0].color", "bad_color"),
    (with_notification(color=0x1000000), "notifications[0].color", "bad_color"),
    (with_notification(color=True), "notifications[0].color", "bad_color"),
    (with_notification(webhook_url="x"), "notifications[0].webhook_url", "unknown_key"),
    # secrets
    (with_notification(channel=WEBHOOK), "notifications[0].channel", "secret"),
    (with_notification(message=f"to {WEBHOOK}"), "notifications[0].message", "secret"),
    (with_notification(title=WEBHOOK.replace("discord.com", "ptb.discord.com")), "notifications[0].title", "secret"),
    (with_notification(message="http://127.0.0.1:8000/inbox/api/webhooks/1/t"), "notifications[0].message", "secret"),
    (with_notification(message="https://hooks.slack.com/services/T0/B0/xyz"), "notifications[0].message", "secret"),
    (with_notification(message="123456789:AAF0-abcdefghijklmnopqrstuvwxyz12345"), "notifications[0].message", "secret"),
    (with_notification(message="Authorization: Bearer abc.def.ghi"), "notifications[0].message", "secret"),
    (with_notification(message="https://user:hunter22@example.org/"), "notifications[0].message", "secret"),
    (with_notification(message="https://rpc.example.org/?api-key=0123456789ab"), "notifications[0].message", "secret"),
    (with_notification(message="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "notifications[0].message", "secret"),
    (memo(str(KEY)), "actions[0].text", "secret"),
    (memo(f"my key is {KEY}."), "actions[0].text", "secret"),
    (memo(json.dumps(list(bytes(KEY)))), "actions[0].text", "secret"),
    (memo(bytes(KEY).hex()), "actions[0].text", "secret"),
    (memo(base64.b64encode(bytes(KEY)).decode()), "actions[0].text", "secret"),
    (idl_call(args={"key": list(bytes(KEY))}), "actions[0].args.key", "secret"),
    (sol(signer=str(KEY)), "actions[0].signer", "secret"),
    (with_condition(field="event.owner", value=str(KEY)), "filter.value", "secret"),
    (with_part(**{WEBHOOK: 1}), "(hidden)", "secret"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "path", "code"), HOSTILE)
def test_a_hostile_definition_is_refused_with_its_path_and_quotes_no_secret(
    document: Any, path: str, code: str
) -> None:
    with pytest.raises(SpecErrors) as caught:
        parse(document)
    found = [(error.path, error.code) for error in caught.value.errors]
    assert (path, code) in found
    told = json.dumps([error.as_json() for error in caught.value.errors]) + str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None
    for secret in ("aBcDeF-ghIJKlmnop", str(KEY), bytes(KEY).hex(), "hunter22", "0123456789ab", "MfKQ9r8GKYqr"):
        assert secret not in told


def test_there_are_enough_hostile_definitions() -> None:
    assert len(HOSTILE) >= 200


def test_the_definition_that_they_break_is_right() -> None:
    assert parse(RIGHT).schema_version == 1
