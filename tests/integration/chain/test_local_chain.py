"""Client, builder, signer and decoders together against the local chain."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from solders.keypair import Keypair

from chain.decode.answer import read_answer
from chain.decode.balances import deltas
from chain.decode.base import Decoded
from chain.decode.dispatch import decode
from chain.decode.logs import attribute
from chain.decode.transaction import read_transaction
from chain.errors import Rejected
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.sync import RpcClient
from chain.tx import builder, instructions
from chain.tx.signers import KeypairSigner
from chain.types import LAMPORTS_PER_SOL, SYSTEM_PROGRAM, SignedTransaction
from tests.waiting import wait_for

EXECUTION = "cd" * 32
FEE = 5000


@pytest.fixture
def rpc(chain_url: str) -> Iterator[RpcClient]:
    with RpcClient([chain_url]) as client:
        yield client


@pytest.fixture
def alice(rpc: RpcClient, airdrop: Callable[[str, int], None]) -> KeypairSigner:
    signer = KeypairSigner.from_secret(bytes(Keypair()))
    airdrop(signer.address, LAMPORTS_PER_SOL)
    return signer


@pytest.fixture
def bob() -> str:
    return str(Keypair().pubkey())


def payment(rpc: RpcClient, signer: KeypairSigner, to: str, attempt: int = 1) -> SignedTransaction:
    blockhash = rpc.latest_blockhash()
    message = builder.compile_message(
        [
            instructions.compute_unit_limit(50_000),
            instructions.compute_unit_price(20_000),
            instructions.transfer_sol(signer.address, to, 2_000_000),
            instructions.memo(builder.attempt_memo(EXECUTION, attempt), signer.address),
        ],
        signer.address,
        blockhash.blockhash,
    )
    return signer.sign(message, blockhash.last_valid_block_height)


def landed(rpc: RpcClient, signature: str) -> dict[str, Any]:
    return wait_for(lambda: rpc.transaction(signature), what=signature)


def test_a_payment_is_simulated_sent_confirmed_and_read_back(rpc: RpcClient, alice: KeypairSigner, bob: str) -> None:
    signed = payment(rpc, alice, bob)
    simulation = rpc.simulate(signed.raw, addresses=[bob], sig_verify=True)
    assert (simulation.err, simulation.fee_lamports) == (None, FEE + 1000)
    assert simulation.accounts[0] is not None
    assert simulation.accounts[0].lamports == 2_000_000
    assert simulation.pre_balances is not None
    assert simulation.post_balances is not None
    assert simulation.pre_balances[0] - simulation.post_balances[0] == 2_000_000 + FEE + 1000

    assert rpc.send(signed.raw) == signed.signature
    answer = landed(rpc, signed.signature)
    transaction = read_transaction(answer, with_instructions=True)
    moved = {delta.account: delta.lamports for delta in deltas(read_answer(answer)).sol}
    assert moved == {alice.address: -(2_000_000 + FEE + 1000), bob: 2_000_000}
    decoded = [d for d in map(decode, transaction.instructions) if isinstance(d, Decoded)]
    names = [d.type for d in decoded]
    assert [name for name in names if not name.startswith("compute-budget.")] == ["system.transfer", "memo"]
    assert decoded[names.index("memo")].values["text"] == builder.attempt_memo(EXECUTION, 1)
    assert not attribute(transaction.logs).truncated
    assert rpc.balance(bob) == 2_000_000


def test_the_same_bytes_pay_once_however_often_they_are_sent(rpc: RpcClient, alice: KeypairSigner, bob: str) -> None:
    signed = payment(rpc, alice, bob)
    for everywhere in (False, False, True):
        assert rpc.send(signed.raw, everywhere=everywhere) == signed.signature
    landed(rpc, signed.signature)
    assert rpc.balance(bob) == 2_000_000


def test_two_attempts_are_two_payments(rpc: RpcClient, alice: KeypairSigner, bob: str) -> None:
    for attempt in (1, 2):
        landed(rpc, rpc.send(payment(rpc, alice, bob, attempt).raw))
    assert rpc.balance(bob) == 4_000_000
    listed = rpc.signatures_for_address(bob)
    assert len(listed) == 2
    assert rpc.signatures_for_address(bob, until=listed[1].signature) == listed[:1]


def test_what_would_fail_is_the_simulation_s_answer_not_an_exception(rpc: RpcClient, bob: str) -> None:
    poor = KeypairSigner.from_secret(bytes(Keypair()))
    message = builder.compile_message(
        [instructions.transfer_sol(poor.address, bob, 1)], poor.address, rpc.latest_blockhash().blockhash
    )
    assert rpc.simulate(builder.unsigned_bytes(message)).err == "AccountNotFound"


def test_a_blockhash_that_nobody_knows_is_told_apart(rpc: RpcClient, alice: KeypairSigner, bob: str) -> None:
    stale = str(Keypair().pubkey())
    transfer = instructions.transfer_sol(alice.address, bob, 2_000_000)
    unsigned = builder.unsigned_bytes(builder.compile_message([transfer], alice.address, stale))
    assert rpc.simulate(unsigned).err == "BlockhashNotFound"
    replaced = rpc.simulate(unsigned, replace_blockhash=True)
    assert replaced.err is None


def test_statuses_tell_what_is_known_and_at_which_slot(rpc: RpcClient, alice: KeypairSigner, bob: str) -> None:
    signed = payment(rpc, alice, bob)
    unknown = payment(rpc, alice, bob, attempt=9)
    rpc.send(signed.raw)
    landed(rpc, signed.signature)
    answer = rpc.signature_statuses([signed.signature, unknown.signature], search_history=True)
    known, never_sent = answer.statuses
    assert known is not None
    assert (known.err, never_sent) == (None, None)
    assert answer.slot >= known.slot


def test_a_recipient_s_token_account_is_created_once(rpc: RpcClient, alice: KeypairSigner, bob: str) -> None:
    wrapped_sol = "So11111111111111111111111111111111111111112"
    address = instructions.associated_token_address(bob, wrapped_sol)
    for number in range(2):
        blockhash = rpc.latest_blockhash()
        create = instructions.create_associated_token_account_idempotent(alice.address, bob, wrapped_sol)
        memo = instructions.memo(str(number), alice.address)
        message = builder.compile_message([create, memo], alice.address, blockhash.blockhash)
        landed(rpc, rpc.send(alice.sign(message, blockhash.last_valid_block_height).raw))
    sample = rpc.account(address)
    assert sample.owner == instructions.TOKEN_PROGRAM
    assert sample.lamports == rpc.rent_exempt_minimum(165)


def test_figures_of_the_chain_are_integers(rpc: RpcClient) -> None:
    assert rpc.slot("processed") >= rpc.slot("finalized") >= 0
    assert rpc.block_height("confirmed") >= 0
    assert rpc.latest_blockhash().last_valid_block_height > rpc.block_height()
    assert all(type(fee) is int for fee in rpc.recent_prioritization_fees([SYSTEM_PROGRAM]))
    assert len(rpc.genesis_hash()) >= 32


def test_an_address_without_an_account_is_no_lookup_table(rpc: RpcClient, bob: str) -> None:
    with pytest.raises(Rejected):
        rpc.lookup_table(bob)
    assert rpc.account(bob).lamports == 0
    assert rpc.accounts([bob])[1] == [None]


def test_the_asyncio_client_reads_the_same_chain(rpc: RpcClient, chain_url: str, alice: KeypairSigner) -> None:
    async def ask() -> tuple[str, int]:
        client = AsyncRpcClient([chain_url])
        try:
            return await client.genesis_hash(), (await client.account(alice.address)).lamports
        finally:
            await client.close()

    assert asyncio.run(ask()) == (rpc.genesis_hash(), LAMPORTS_PER_SOL)
