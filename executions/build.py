"""From actions to a message that is ready to sign, with proof of what it would take out of the signer's accounts.

Limits judge what the simulation says leaves the signer, whatever the instructions claim.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.conf import settings
from solders.instruction import Instruction
from solders.message import MessageV0

from chain.errors import ChainError, InvalidTransaction, Rejected
from chain.tx import builder, instructions
from chain.types import Blockhash, Simulation
from executions import actions
from executions.errors import BuildFailed, NotNow, SimulationFailed
from executions.gateway import Gateway, Mint
from workflows.specs.actions import Action

BASE_FEE_LAMPORTS = 5_000
COMPUTE_UNITS_MAX = 1_400_000
# The state may move between simulation and landing; running out of units would cost the fee for nothing.
COMPUTE_UNITS_MARGIN = 1.2
# Each compute-budget instruction costs this much itself, and the price is not in the simulated message.
COMPUTE_BUDGET_UNITS = 150
# Later attempts pay more: whatever kept the earlier one from landing, a queue may have been part of it.
FEE_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class Outflow:
    """What leaves the signer: lamports with fee and rent, and base units by mint. Never negative."""

    lamports: int
    tokens: dict[str, int]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message to sign, its blockhash's last valid height, and what the simulation said it takes."""

    message: MessageV0
    last_valid_block_height: int
    outflow: Outflow
    recipients: list[str]
    programs: list[str]
    simulation: dict[str, Any]


@dataclass
class SignerWallet:
    """What the actions may ask about the signer; each fact is asked for once."""

    address: str
    gateway: Gateway
    fee_lamports: int
    _tokens: dict[str, int] = field(default_factory=dict)

    @cached_property
    def _balance(self) -> int:
        return self.gateway.rpc.balance(self.address)

    def balance_lamports(self) -> int:
        return self._balance

    def token_balance(self, token_account: str) -> int:
        if token_account not in self._tokens:
            self._tokens[token_account] = self.gateway.token_balance(token_account)
        return self._tokens[token_account]

    def mint(self, address: str) -> Mint | None:
        return self.gateway.mint(address)


def prepare(
    *,
    gateway: Gateway,
    signer_address: str,
    spec_actions: Sequence[Action],
    context: Mapping[str, Any],
    execution_id: str,
    attempt: int,
) -> Prepared:
    """Build all actions as one v0 transaction, simulate it, and size its compute budget by what it used.

    Every message is unique: the memo names execution and attempt, because the same payment under the same cached
    blockhash would be the same signature, and land once for two executions.

    Raises:
        BuildFailed: the actions do not make a transaction.
        SimulationFailed: the chain would refuse it, or the node tells no balances: no permission without figures.
        NotNow: no endpoint answers.
    """
    wallet = SignerWallet(signer_address, gateway, BASE_FEE_LAMPORTS + settings.PRIORITY_FEE_CAP_LAMPORTS)
    memo = instructions.memo(builder.attempt_memo(execution_id, attempt), signer_address)
    try:
        built = actions.build(spec_actions, context, wallet)
        body = [*built.instructions, memo]
        measured, blockhash = _simulate(gateway, signer_address, body)
        units = _unit_limit(measured.units_consumed)
        price = _unit_price(gateway, signer_address, body, units, attempt)
        priority_fee = math.ceil(units * price / 1_000_000)
        if built.spends_rest:
            # The amount depends on the fee, so what the limits judge is simulated once more with the final one.
            wallet.fee_lamports = BASE_FEE_LAMPORTS + priority_fee
            built = actions.build(spec_actions, context, wallet)
            body = [*built.instructions, memo]
            measured, blockhash = _simulate(gateway, signer_address, body)
        message = builder.compile_message([*_budget(units, price), *body], signer_address, blockhash.blockhash)
    except InvalidTransaction as error:
        raise BuildFailed(str(error)) from error
    except Rejected as error:
        raise SimulationFailed(str(error)) from error
    except ChainError as error:
        raise NotNow(str(error)) from error
    outflow = _outflow(measured, signer_address, priority_fee)
    return Prepared(
        message=message,
        last_valid_block_height=blockhash.last_valid_block_height,
        outflow=outflow,
        recipients=built.recipients,
        programs=sorted({str(one.program_id) for one in built.instructions}),
        simulation={
            "slot": measured.slot,
            "compute_units": measured.units_consumed,
            "fee_lamports": BASE_FEE_LAMPORTS + priority_fee,
            "outflow_lamports": outflow.lamports,
            "outflow_tokens": outflow.tokens,
            "logs": list(measured.logs),
        },
    )


def _simulate(gateway: Gateway, payer: str, body: Sequence[Instruction]) -> tuple[Simulation, Blockhash]:
    """Run the transaction without a signature; a cached blockhash that a node does not know is asked for once more."""
    for last_try in (False, True):
        blockhash = gateway.blockhash()
        message = builder.compile_message([*_budget(COMPUTE_UNITS_MAX, 0), *body], payer, blockhash.blockhash)
        result = gateway.rpc.simulate(builder.unsigned_bytes(message), commitment="confirmed")
        if result.err == "BlockhashNotFound" and not last_try:
            gateway.forget_blockhash()
            continue
        break
    if result.err == "BlockhashNotFound":
        raise NotNow("the node does not know its own latest blockhash: it lags, or two nodes disagree")
    if result.err is not None:
        raise SimulationFailed(
            f"the transaction would fail: {result.err}",
            simulation={"err": result.err, "logs": list(result.logs), "compute_units": result.units_consumed},
        )
    return result, blockhash


def _budget(units: int, price: int) -> list[Instruction]:
    limit = instructions.compute_unit_limit(units)
    return [limit, instructions.compute_unit_price(price)] if price else [limit]


def _unit_limit(consumed: int) -> int:
    return min(COMPUTE_UNITS_MAX, math.ceil(consumed * COMPUTE_UNITS_MARGIN) + COMPUTE_BUDGET_UNITS)


def _unit_price(gateway: Gateway, payer: str, body: Sequence[Instruction], units: int, attempt: int) -> int:
    """Micro-lamports per unit: a percentile of what landed lately on the same writable accounts, under the cap."""
    writable = {payer} | {str(meta.pubkey) for one in body for meta in one.accounts if meta.is_writable}
    fees = sorted(gateway.recent_fees(tuple(sorted(writable))))
    price = fees[min(len(fees) - 1, len(fees) * settings.PRIORITY_FEE_PERCENTILE // 100)] if fees else 0
    raised = math.ceil(price * FEE_GROWTH ** (attempt - 1))
    return min(raised, settings.PRIORITY_FEE_CAP_LAMPORTS * 1_000_000 // units)


def _outflow(simulated: Simulation, signer: str, priority_fee: int) -> Outflow:
    """What the signer has less of afterwards. The simulated message carried no price, so that part is added."""
    before, after = simulated.pre_balances, simulated.post_balances
    tokens_before, tokens_after = simulated.pre_token_balances, simulated.post_token_balances
    if before is None or after is None or tokens_before is None or tokens_after is None:
        raise SimulationFailed("the node's simulation tells no balances, so nothing says what would be spent")
    # The payer is the first account of its message.
    lamports = max(0, before[0] - after[0]) + priority_fee
    tokens: dict[str, int] = {}
    for balance in tokens_before:
        if balance.owner == signer:
            tokens[balance.mint] = tokens.get(balance.mint, 0) + balance.amount
    for balance in tokens_after:
        if balance.owner == signer:
            tokens[balance.mint] = tokens.get(balance.mint, 0) - balance.amount
    return Outflow(lamports, {mint: amount for mint, amount in tokens.items() if amount > 0})
