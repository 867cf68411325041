"""A program call as an instruction: raw and by IDL, with its templates rendered, and what is refused before anything is
simulated."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from chain.decode.idl import Idl, parse_idl
from executions import actions
from executions.actions import Built
from executions.errors import BuildFailed
from tests.unit.chain.idl_documents import ALICE, BOB, PROGRAM, new_format, struct
from workflows.specs.workflow import parse

ID = "7d3c0f5e-0000-4000-8000-000000000001"
TABLES = ["Stake11111111111111111111111111111111111111", "Config1111111111111111111111111111111111111"]

SHOP = new_format(
    instructions=[
        {
            "name": "sell",
            "discriminator": [1, 2, 3],
            "accounts": [
                {"name": "shop", "writable": True},
                {"name": "seller", "signer": True, "writable": True},
                {"name": "vault", "pda": {"seeds": [{"kind": "account", "path": "shop.mint", "account": "Shop"}]}},
            ],
            "args": [
                {"name": "price", "type": "u64"},
                {"name": "meta", "type": {"defined": {"name": "Meta"}}},
                {"name": "tags", "type": {"vec": "string"}},
            ],
        }
    ],
    accounts=[{"name": "Shop", "discriminator": [9]}],
    types=[struct("Meta", ("owner", "pubkey"), ("open", "bool")), struct("Shop", ("mint", "pubkey"))],
)


@dataclass
class Wallet:
    """A signer without a chain."""

    address: str = ALICE
    fee_lamports: int = 5_000
    idls: dict[str, Idl] = field(default_factory=lambda: {ID: parse_idl(SHOP, PROGRAM)})
    data: dict[str, bytes] = field(default_factory=dict)

    def balance_lamports(self) -> int:
        return 10**9

    def token_balance(self, token_account: str) -> int:
        return 0

    def mint(self, address: str) -> None:
        return None

    def account_data(self, address: str) -> bytes | None:
        return self.data.get(address)

    def idl(self, idl_id: str) -> Idl | None:
        return self.idls.get(idl_id)


def build(*calls: dict[str, Any], wallet: Wallet | None = None, **event: Any) -> Built:
    spec = parse({"trigger": {"type": "manual"}, "actions": list(calls)})
    return actions.build(spec.actions, {"event": event}, wallet or Wallet())


def raw(**parts: Any) -> dict[str, Any]:
    return {"type": "call_program", "program_id": PROGRAM, "accounts": [], "data": "AQI=", **parts}


def sell(**parts: Any) -> dict[str, Any]:
    return {
        "type": "call_program",
        "program_id": PROGRAM,
        "idl": ID,
        "instruction": "sell",
        "accounts": {"shop": BOB},
        "args": {"price": 5, "meta": {"owner": ALICE, "open": True}, "tags": []},
        **parts,
    }


def refused(*calls: dict[str, Any], **more: Any) -> tuple[str, str]:
    with pytest.raises(BuildFailed) as caught:
        build(*calls, **more)
    return caught.value.code, caught.value.detail


def key(address: str) -> bytes:
    return bytes(Pubkey.from_string(address))


@pytest.mark.parametrize(("encoding", "text"), [("base64", "AQI="), ("hex", "0102"), ("base58", "5T")])
def test_a_raw_call_has_the_accounts_and_the_bytes_that_were_written(encoding: str, text: str) -> None:
    """In three encodings; accounts in their order with their marks."""
    metas = [{"address": ALICE, "signer": True, "writable": True}, {"address": BOB}]
    (call,) = build(raw(accounts=metas, data=text, encoding=encoding)).instructions

    assert (str(call.program_id), bytes(call.data)) == (PROGRAM, b"\1\2")
    assert call.accounts == [
        AccountMeta(Pubkey.from_string(ALICE), is_signer=True, is_writable=True),
        AccountMeta(Pubkey.from_string(BOB), is_signer=False, is_writable=False),
    ]


def test_templates_of_a_raw_call_are_rendered() -> None:
    """Addresses and data."""
    call = raw(accounts=[{"address": "{{ event.account }}"}], data="{{ event.payload }}", encoding="hex")
    (built,) = build(call, account=BOB, payload="ff00").instructions

    assert (str(built.accounts[0].pubkey), bytes(built.data)) == (BOB, b"\xff\0")


def test_a_call_by_idl_is_encoded_with_its_accounts_by_name() -> None:
    """The signer fills itself in, and a PDA is derived from the data of an account on chain."""
    wallet = Wallet(data={BOB: b"\x09" + key(ALICE)})
    (call,) = build(sell(), wallet=wallet).instructions

    assert bytes(call.data) == b"\1\2\3" + (5).to_bytes(8, "little") + key(ALICE) + b"\1" + bytes(4)
    vault = Pubkey.find_program_address([key(ALICE)], Pubkey.from_string(PROGRAM))[0]
    assert call.accounts == [
        AccountMeta(Pubkey.from_string(BOB), is_signer=False, is_writable=True),
        AccountMeta(Pubkey.from_string(ALICE), is_signer=True, is_writable=True),
        AccountMeta(vault, is_signer=False, is_writable=False),
    ]


def test_templates_in_arguments_are_rendered_at_any_depth() -> None:
    """What they render is text, which integers, addresses and booleans take."""
    args = {
        "price": "{{ event.lamports // 2 }}",
        "meta": {"owner": "{{ event.account }}", "open": "{{ event.open }}"},
        "tags": ["{{ event.slot }}", "x"],
    }
    wallet = Wallet(data={BOB: b"\x09" + key(ALICE)})
    call = sell(args=args, accounts={"shop": "{{ event.shop }}"})
    (built,) = build(call, wallet=wallet, lamports=10, account=BOB, open=False, slot=7, shop=BOB).instructions

    tags = b"\2\0\0\0" + b"\1\0\0\0" + b"7" + b"\1\0\0\0" + b"x"
    assert bytes(built.data) == b"\1\2\3" + (5).to_bytes(8, "little") + key(BOB) + b"\0" + tags


def test_lookup_tables_of_all_actions_are_named_once_in_their_order() -> None:
    """Who loads them does it once."""
    built = build(raw(lookup_tables=TABLES), raw(lookup_tables=TABLES[:1]), {"type": "memo", "text": "hi"})

    assert built.lookup_tables == TABLES


def test_only_transfers_of_sol_and_memos_are_plain() -> None:
    """Any other instruction may touch accounts that it does not name."""
    transfer = {"type": "transfer_sol", "to": BOB, "lamports": 1}

    assert build(transfer, {"type": "memo", "text": "hi"}).is_plain
    assert not build(transfer, raw()).is_plain


def test_nobody_but_the_workflows_signer_signs() -> None:
    """Raw and by IDL, at build and in words."""
    code, detail = refused(raw(accounts=[{"address": ALICE}, {"address": BOB, "signer": True}]))
    assert code == "accounts_invalid"
    assert f"actions[0]: accounts[1] ({BOB}) must sign" in detail

    code, detail = refused(sell(accounts={"shop": BOB, "seller": BOB, "vault": BOB}))
    assert code == "accounts_invalid"
    assert f"accounts.seller: ({BOB}) must sign" in detail


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (raw(accounts=[{"address": "{{ event.memo }}"}]), "build_failed", "no address"),
        (raw(data="{{ event.memo }}"), "arguments_invalid", "data is not base64 once it is rendered"),
        (raw(data="{{ event.absent }}"), "template_failed", "event.absent is not there"),
        (sell(instruction="buy"), "instruction_unknown", "no instruction buy. Known: sell"),
        (sell(args={"price": -1}), "arguments_invalid", "args.price: must be a whole number"),
        (sell(accounts={}), "accounts_invalid", "accounts.shop: is missing"),
        (sell(accounts={"shop": "{{ event.memo }}"}), "accounts_invalid", "accounts.shop: must be an address"),
        (sell(idl=ID.replace("1", "2")), "idl_missing", "there is no IDL"),
        (sell(program_id=BOB), "idl_other_program", f"the IDL is that of {PROGRAM}"),
    ],
)
def test_a_call_that_makes_no_instruction_says_why(call: dict[str, Any], code: str, words: str) -> None:
    """With the action's place, before anything is asked of the chain."""
    found = refused({"type": "memo", "text": "first"}, call, memo="not base64!")

    assert found[0] == code
    assert found[1].startswith("actions[1]: ")
    assert words in found[1]


def test_data_of_no_bytes_is_a_call() -> None:
    """Some programs take none."""
    (call,) = build(raw(data=base64.b64encode(b"").decode())).instructions

    assert bytes(call.data) == b""
