"""From actions to a message that is ready to sign, with proof of what it would take out of the signer's accounts.

Limits judge what the simulation says leaves the signer, whatever the instructions claim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.conf import settings
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.message import MessageV0

from chain.decode import authorities
from chain.decode.authorities import TokenAccount
from chain.decode.idl import Idl
from chain.errors import ChainError, InvalidTransaction, Rejected
from chain.tx import builder, instructions
from chain.types import AccountSample, Blockhash, Simulation
from executions import actions, delegation
from executions.balance_changes import BalanceChange, balance_changes
from executions.errors import BuildFailed, NotNow, SimulationFailed
from executions.gateway import Gateway, Mint
from executions.idls import load_idl
from executions.outflow import Balances, Granted, Look, Outflow, gainers, granted, outflow
from executions.program_errors import explain
from workflows.specs.actions import Action

BASE_FEE_LAMPORTS = 5_000
COMPUTE_UNITS_MAX = 1_400_000
# The state may move between simulation and landing; running out of units would cost the fee for nothing.
COMPUTE_UNITS_MARGIN_PERCENT = 20
# Each compute-budget instruction costs this much itself, and the price is not in the simulated message.
COMPUTE_BUDGET_UNITS = 150
# Later attempts pay more: whatever kept the earlier one from landing, a queue may have been part of it.
FEE_GROWTH_PERCENT = 50


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message to sign, its blockhash's last valid height, and what the simulation said it takes. The accounts
    in the order of the balances (`keys`), the IDLs by program and the `changes` are for whoever shows it."""

    message: MessageV0
    last_valid_block_height: int
    outflow: Outflow
    recipients: list[str]
    programs: list[str]
    simulation: dict[str, Any]
    changes: tuple[BalanceChange, ...] = ()
    keys: Sequence[str] = ()
    idls: Mapping[str, Idl] = field(default_factory=dict)


@dataclass
class SignerWallet:
    """What the actions may ask about the signer; each fact is asked for once."""

    address: str
    gateway: Gateway
    fee_lamports: int
    # Those that were asked for, by program: what a failure is explained with.
    idls: dict[str, Idl] = field(default_factory=dict)
    _tokens: dict[str, int] = field(default_factory=dict)
    _data: dict[str, bytes | None] = field(default_factory=dict)

    @cached_property
    def _balance(self) -> int:
        return self.gateway.rpc.balance(self.address)

    def balance_lamports(self) -> int:
        return self._balance

    def token_balance(self, token_account: str) -> int:
        if token_account not in self._tokens:
            self._tokens[token_account] = self.gateway.token_balance(token_account)
        return self._tokens[token_account]

    def token_account(self, address: str) -> TokenAccount | None:
        found = authorities.read(self.gateway.rpc.account(address))
        return found.token if found is not None else None

    def token_account_rent(self) -> int:
        return self.gateway.token_account_rent()

    def mint(self, address: str) -> Mint | None:
        return self.gateway.mint(address)

    def account_data(self, address: str) -> bytes | None:
        if address not in self._data:
            account = self.gateway.rpc.account(address)
            self._data[address] = account.data if account.lamports else None
        return self._data[address]

    def idl(self, idl_id: str) -> Idl | None:
        found = load_idl(idl_id)
        if found is not None:
            self.idls[found.program_id] = found
        return found


def prepare(
    *,
    gateway: Gateway,
    signer_address: str,
    spec_actions: Sequence[Action],
    context: Mapping[str, Any],
    execution_id: str,
    attempt: int,
    stage: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> Prepared:
    """Build all actions as one v0 transaction, simulate it, and size its compute budget by what it used.

    Every message is unique: the memo names execution and attempt, because the same payment under the same cached
    blockhash would be the same signature, and land once for two executions. `stage` goes around the work of each stage
    (executions.trail).

    Raises:
        BuildFailed: the actions do not make a transaction.
        SimulationFailed: the chain would refuse it, or the node tells no balances: no permission without figures.
        NotNow: no endpoint answers.
    """
    wallet = SignerWallet(signer_address, gateway, BASE_FEE_LAMPORTS)
    memo = instructions.memo(builder.attempt_memo(execution_id, attempt), signer_address)
    try:
        with stage("build"):
            built = actions.build(spec_actions, context, wallet)
            tables = gateway.lookup_tables(built.lookup_tables)
            body = [*built.instructions, memo]
            draft = _Draft(gateway, signer_address, body, tables, wallet.idls, looks=not built.is_plain)
        with stage("simulate"):
            measured = _measure(draft)
        units = _unit_limit(measured.simulation.units_consumed)
        price = _unit_price(gateway, signer_address, draft.body, units, attempt)
        priority_fee = _rounded_up(units * price, 1_000_000)
        unseen_fee = priority_fee
        if built.spends_rest and priority_fee:
            # The amount depends on the fee, so what the limits judge is simulated once more with the final one; and
            # at that price, because lamports left for a fee that nobody takes would be too few to stay in an account.
            wallet.fee_lamports = BASE_FEE_LAMPORTS + priority_fee
            built = actions.build(spec_actions, context, wallet)
            draft = replace(draft, body=[*built.instructions, memo])
            with stage("simulate"):
                measured = _measure(draft, units, price)
            unseen_fee = 0
        message = draft.compiled(units, price, measured.blockhash)
    except InvalidTransaction as error:
        raise BuildFailed(str(error)) from error
    except Rejected as error:
        raise SimulationFailed(str(error)) from error
    except ChainError as error:
        raise NotNow(str(error)) from error
    leaves = outflow(measured.balances, signer_address, measured.granted, fee_lamports=unseen_fee)
    gained = gainers(measured.balances, measured.keys, signer_address) if draft.looks else set()
    return Prepared(
        message=message,
        last_valid_block_height=measured.blockhash.last_valid_block_height,
        outflow=leaves,
        recipients=sorted(gained | set(built.recipients)),
        programs=sorted({str(one.program_id) for one in built.instructions}),
        simulation={
            "slot": measured.simulation.slot,
            "compute_units": measured.simulation.units_consumed,
            "fee_lamports": BASE_FEE_LAMPORTS + priority_fee,
            "outflow_lamports": leaves.lamports,
            "outflow_tokens": leaves.tokens,
            "logs": list(measured.simulation.logs),
        },
        changes=balance_changes(measured.balances, measured.keys, fee_lamports=unseen_fee),
        keys=measured.keys,
        idls=wallet.idls,
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """The transaction but for its compute budget and blockhash. `looks`: its programs may do more than they name, so
    what becomes of its accounts is looked at too."""

    gateway: Gateway
    payer: str
    body: list[Instruction]
    tables: list[AddressLookupTableAccount]
    idls: Mapping[str, Idl]
    looks: bool

    def compiled(self, units: int, price: int, blockhash: Blockhash) -> MessageV0:
        limit = instructions.compute_unit_limit(units)
        budget = [limit, instructions.compute_unit_price(price)] if price else [limit]
        return builder.compile_message([*budget, *self.body], self.payer, blockhash.blockhash, self.tables)


@dataclass(frozen=True, slots=True)
class _Measured:
    """What a simulation said. `keys` are in the order of the balances."""

    simulation: Simulation
    blockhash: Blockhash
    balances: Balances
    granted: Granted
    keys: list[str]


def _measure(draft: _Draft, units: int = COMPUTE_UNITS_MAX, price: int = 0) -> _Measured:
    """Run the transaction without a signature; a cached blockhash that a node does not know is asked for once more."""
    gateway, before = draft.gateway, list[AccountSample | None]()
    for last_try in (False, True):
        blockhash = gateway.blockhash()
        message = draft.compiled(units, price, blockhash)
        raw, writable = builder.unsigned_bytes(message), builder.writable_accounts(message, draft.tables)
        if draft.looks:
            before, result = gateway.rpc.simulate_and_look(raw, writable)
        else:
            result = gateway.rpc.simulate(raw)
        if result.err == "BlockhashNotFound" and not last_try:
            gateway.forget_blockhash()
            continue
        break
    if result.err == "BlockhashNotFound":
        raise NotNow("the node does not know its own latest blockhash: it lags, or two nodes disagree")
    if result.err is not None:
        known = dict(zip(writable, before, strict=True)) if before else None
        why = explain(result.err, message=message, logs=result.logs, idls=draft.idls, before=known)
        raise SimulationFailed(
            f"the transaction would fail: {why}",
            simulation={"err": result.err, "logs": list(result.logs), "compute_units": result.units_consumed},
        )
    seen = Granted()
    if draft.looks:
        taken = delegation.taken_from(draft.body, draft.payer)
        seen = granted(Look(writable, before, result.accounts), draft.payer, taken)
    keys = builder.account_keys(message, draft.tables)
    return _Measured(result, blockhash, Balances.of_simulation(result, keys), seen, keys)


def _unit_limit(consumed: int) -> int:
    with_margin = _rounded_up(consumed * (100 + COMPUTE_UNITS_MARGIN_PERCENT), 100)
    return min(COMPUTE_UNITS_MAX, with_margin + COMPUTE_BUDGET_UNITS)


def _unit_price(gateway: Gateway, payer: str, body: Sequence[Instruction], units: int, attempt: int) -> int:
    """Micro-lamports per unit: a percentile of what landed lately on the same writable accounts, under the cap."""
    writable = {payer} | {str(meta.pubkey) for one in body for meta in one.accounts if meta.is_writable}
    fees = sorted(gateway.recent_fees(tuple(sorted(writable))))
    price = fees[min(len(fees) - 1, len(fees) * settings.PRIORITY_FEE_PERCENTILE // 100)] if fees else 0
    raised = _rounded_up(price * (100 + FEE_GROWTH_PERCENT) ** (attempt - 1), 100 ** (attempt - 1))
    return min(raised, settings.PRIORITY_FEE_CAP_LAMPORTS * 1_000_000 // units)


def _rounded_up(amount: int, divisor: int) -> int:
    return -(-amount // divisor)
