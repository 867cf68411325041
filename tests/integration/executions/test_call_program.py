"""Program calls by IDL and with lookup tables, from an event to the chain: a real SVM runs what was encoded."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from solders.address_lookup_table_account import ID as LOOKUP_TABLE_PROGRAM
from solders.address_lookup_table_account import derive_lookup_table_address
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from accounts.actors import Actor
from chain.tx.instructions import associated_token_address, instruction
from executions import attempts
from executions.attempts import mark_sending
from executions.idls import load_idl
from executions.models import Attempt, Execution, Reservation
from executions.pipeline import advance
from tests import idls
from tests.executing import SOL, balance_event, execution, new_address, settled, take_events
from tests.local_chain import LocalChain
from tests.tokens import TOKEN_ACCOUNT_RENT, give_tokens, new_mint, token_amount
from tests.waiting import wait_for
from workflows.models import Idl, Signer, Workflow
from workflows.services import idl_create, idl_update

pytestmark = pytest.mark.django_db(transaction=True)

FEE = 5_000


@pytest.fixture
def stored(actor: Actor) -> Callable[[dict[str, Any]], Idl]:
    """A stored IDL."""
    return lambda document: idl_create(actor=actor, name=document["metadata"]["name"], document=document)


@pytest.fixture
def begin(make_workflow: Callable[..., Workflow]) -> Callable[..., int]:
    """An event taken in for a workflow with this action, not advanced yet."""

    def start(action: dict[str, Any], **settings: Any) -> int:
        watched = new_address()
        (row_id,) = take_events(make_workflow(watched, [action], **settings), [balance_event(watched, 10)])
        return row_id

    return start


@pytest.fixture
def run(begin: Callable[..., int]) -> Callable[..., Execution]:
    """The execution of such an event once it has ended."""

    def execute(action: dict[str, Any], **settings: Any) -> Execution:
        row_id = begin(action, **settings)
        advance([row_id])
        return settled(row_id)

    return execute


def call(idl: Idl, name: str, **parts: Any) -> dict[str, Any]:
    return {"type": "call_program", "program_id": idl.program_id, "idl": str(idl.id), "instruction": name, **parts}


def test_a_call_by_idl_pays_what_its_template_says(
    run: Callable[..., Execution], stored: Callable[..., Idl], chain: LocalChain
) -> None:
    """The system program's transfer with its four-byte tag; the signer fills itself in."""
    to = new_address()
    args = {"lamports": "{{ event.lamports_delta // 1100 }}"}

    row = run(call(stored(idls.SYSTEM), "transfer", accounts={"to": to}, args=args))

    assert row.status == "success", row.error_detail
    assert chain.balance(to) == SOL // 1100
    assert Reservation.objects.get(execution_id=row.id).lamports == SOL // 1100 + FEE


def test_an_account_derived_from_idl_seeds_is_the_one_that_the_program_makes(
    run: Callable[..., Execution], stored: Callable[..., Idl], chain: LocalChain, signer: Signer
) -> None:
    """The associated token account is a PDA of wallet, token program and mint; its rent is moved by an inner call."""
    owner, mint = new_address(), new_mint(chain)
    action = call(stored(idls.ASSOCIATED_TOKEN), "createIdempotent", accounts={"wallet": owner, "mint": mint})

    row = run(action, max_lamports_per_tx=TOKEN_ACCOUNT_RENT + FEE)

    assert row.status == "success", row.error_detail
    assert chain.balance(associated_token_address(owner, mint)) == TOKEN_ACCOUNT_RENT
    assert Reservation.objects.get(execution_id=row.id).lamports == TOKEN_ACCOUNT_RENT + FEE


def test_a_tag_of_one_byte_moves_tokens(
    run: Callable[..., Execution], stored: Callable[..., Idl], chain: LocalChain, signer: Signer
) -> None:
    """SPL Token's transfer, which limits judge by what leaves, as any other."""
    mint = new_mint(chain)
    source = give_tokens(chain, signer.address, mint, 100)
    destination = give_tokens(chain, new_address(), mint, 0)
    accounts = {"source": source, "destination": destination}
    action = call(stored(idls.TOKEN), "transfer", accounts=accounts, args={"amount": 30})

    assert run(action).error_code == "limit_exceeded"
    row = run(action, max_tokens_per_tx={mint: 30})

    assert row.status == "success", row.error_detail
    assert token_amount(chain, destination) == 30


def test_an_error_in_simulation_is_told_by_the_idl_and_nothing_is_signed(
    run: Callable[..., Execution], stored: Callable[..., Idl], chain: LocalChain, signer: Signer
) -> None:
    """The program's own words for its code."""
    mint = new_mint(chain)
    source = give_tokens(chain, signer.address, mint, 29)
    accounts = {"source": source, "destination": give_tokens(chain, new_address(), mint, 0)}

    row = run(call(stored(idls.TOKEN), "transfer", accounts=accounts, args={"amount": 30}))

    assert (row.status, row.error_code) == ("failed", "simulation_failed")
    assert "with NotEnough (custom error 1): The account has not enough tokens" in row.error_detail
    assert not Attempt.objects.filter(execution_id=row.id).exists()


def test_an_error_of_a_landed_call_is_told_by_the_idl(
    begin: Callable[..., int],
    stored: Callable[..., Idl],
    chain: LocalChain,
    signer: Signer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody takes the tokens between simulation and landing."""
    mint = new_mint(chain)
    source = give_tokens(chain, signer.address, mint, 100)
    accounts = {"source": source, "destination": give_tokens(chain, new_address(), mint, 0)}
    action = call(stored(idls.TOKEN), "transfer", accounts=accounts, args={"amount": 30})

    def emptied(rows: list[Attempt]) -> list[Attempt]:
        give_tokens(chain, signer.address, mint, 0)
        return mark_sending(rows)

    monkeypatch.setattr(attempts, "mark_sending", emptied)
    row_id = begin(action, max_tokens_per_tx={mint: 30})
    advance([row_id])

    row = settled(row_id)
    assert (row.status, row.error_code) == ("failed", "transaction_failed")
    assert "with NotEnough (custom error 1): The account has not enough tokens" in row.error_detail


def test_a_lookup_table_of_the_chain_carries_the_accounts_of_a_call(
    run: Callable[..., Execution], stored: Callable[..., Idl], chain: LocalChain
) -> None:
    """The message names the table instead of the account, and pays it all the same."""
    to = new_address()
    table = lookup_table(chain, [to])
    action = call(
        stored(idls.SYSTEM), "transfer", accounts={"to": to}, args={"lamports": 900_000}, lookup_tables=[table]
    )

    row = run(action)

    assert row.status == "success", row.error_detail
    assert chain.balance(to) == 900_000
    message = VersionedTransaction.from_bytes(bytes(Attempt.objects.get(execution_id=row.id).raw)).message
    assert isinstance(message, MessageV0)
    assert [str(lookup.account_key) for lookup in message.address_table_lookups] == [table]
    assert Pubkey.from_string(to) not in message.account_keys


def test_an_idl_that_was_deleted_fails_the_execution_and_says_so(
    begin: Callable[..., int], stored: Callable[..., Idl], chain: LocalChain
) -> None:
    """Before anything is simulated."""
    idl = stored(idls.SYSTEM)
    row_id = begin(call(idl, "transfer", accounts={"to": new_address()}, args={"lamports": 1}))
    Idl.objects.all().delete()

    advance([row_id])

    assert execution(row_id).error_code == "idl_missing"


def test_a_changed_idl_is_used_at_once(actor: Actor, stored: Callable[..., Idl]) -> None:
    """A parsed document is kept for as long as the row stands as it was."""
    idl = stored(idls.SYSTEM)
    first = load_idl(str(idl.id))
    assert first is not None
    assert load_idl(str(idl.id)) is first

    renamed = {**idls.SYSTEM["instructions"][0], "name": "pay"}
    idl_update(actor=actor, idl=idl, changes={"document": {**idls.SYSTEM, "instructions": [renamed]}})

    second = load_idl(str(idl.id))
    assert second is not None
    assert list(second.instructions) == ["pay"]


def lookup_table(chain: LocalChain, addresses: Sequence[str]) -> str:
    """A table with these addresses, made by the program itself; usable when this returns."""
    owner = Keypair()
    chain.airdrop(owner.pubkey(), SOL)
    slot = chain.slot("finalized")
    table, bump = derive_lookup_table_address(owner.pubkey(), slot)
    holder, payer = (str(owner.pubkey()), True, False), (str(owner.pubkey()), True, True)
    accounts = [(str(table), False, True), holder, payer, (idls.SYSTEM_PROGRAM, False, False)]
    create = number(0, 4) + number(slot, 8) + number(bump, 1)
    extend = number(2, 4) + number(len(addresses), 8) + b"".join(bytes(Pubkey.from_string(one)) for one in addresses)
    calls = [instruction(str(LOOKUP_TABLE_PROGRAM), accounts, data) for data in (create, extend)]
    blockhash = Hash.from_string(chain.call("getLatestBlockhash")["value"]["blockhash"])
    transaction = VersionedTransaction(MessageV0.try_compile(owner.pubkey(), calls, [], blockhash), [owner])
    raw = base64.b64encode(bytes(transaction)).decode()
    status = chain.wait_for_status(chain.call("sendTransaction", [raw, {"encoding": "base64"}]))
    assert status["err"] is None
    wait_for(lambda: chain.slot("confirmed") > status["slot"], 10, "the table's addresses can be used")
    return str(table)


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")
