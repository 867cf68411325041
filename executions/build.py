"""From actions to messages that are ready to sign, with proof of what each would take out of its signer's accounts.

Limits judge what the simulation says leaves the signer, whatever the instructions claim.

Everything is done for many at once, stage by stage: what is asked of the chain goes out together (executions.measuring,
executions.gateway). One that fails falls out with its reason, and the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.conf import settings
from solders.message import MessageV0

from chain.decode import authorities
from chain.decode.authorities import TokenAccount
from chain.decode.idl import Idl
from chain.errors import ChainError, InvalidTransaction, Rejected
from chain.tx import builder, instructions
from executions import actions
from executions.actions import Built
from executions.balance_changes import BalanceChange, balance_changes
from executions.errors import BuildFailed, NotNow, SimulationFailed
from executions.gateway import Gateway, Mint
from executions.idls import load_idl
from executions.measuring import COMPUTE_UNITS_MAX, Draft, Measured, measure
from executions.outflow import Outflow, gainers, outflow
from executions.threads import outcomes
from workflows.specs.actions import Action

BASE_FEE_LAMPORTS = 5_000
# The state may move between simulation and landing; running out of units would cost the fee for nothing.
COMPUTE_UNITS_MARGIN_PERCENT = 20
# Each compute-budget instruction costs this much itself, and the price is not in the simulated message.
COMPUTE_BUDGET_UNITS = 150
# Later attempts pay more: whatever kept the earlier one from landing, a queue may have been part of it.
FEE_GROWTH_PERCENT = 50

# Hears that a stage is over: its name, when it began (Unix time in ns), the class of the error that ended it early.
Told = Callable[[str, int, str], None]


def to_nobody(stage: str, started_ns: int, error: str) -> None:
    """Nobody wants to hear of the stages."""


@dataclass(frozen=True, slots=True)
class Order:
    """What an execution is to pay, and by whom. Every message is unique: its memo names execution and attempt, because
    the same payment under the same cached blockhash would be the same signature, and land once for two executions."""

    signer_address: str
    actions: Sequence[Action]
    context: Mapping[str, Any]
    execution_id: str
    attempt: int
    told: Told = to_nobody


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


def prepare(gateway: Gateway, order: Order) -> Prepared:
    """Build all actions as one v0 transaction, simulate it, and size its compute budget by what it used.

    Raises:
        BuildFailed: the actions do not make a transaction.
        SimulationFailed: the chain would refuse it, or the node tells no balances: no permission without figures.
        NotNow: no endpoint answers.
    """
    (prepared,) = prepare_all(gateway, [order])
    if isinstance(prepared, Exception):
        raise prepared
    return prepared


def prepare_all(gateway: Gateway, orders: Sequence[Order]) -> list[Prepared | Exception]:
    """`prepare` for each, together: what it would return, or raise."""
    all_of_them = [_Making(gateway, order) for order in orders]
    _stage(all_of_them, "build", _Making.build)
    _measure(gateway, all_of_them)
    _price(gateway, all_of_them)
    # The amount depends on the fee, so what the limits judge is simulated once more with the final one; and at that
    # price, because lamports left for a fee that nobody takes would be too few to stay in an account.
    spending_rest = [one for one in _going(all_of_them) if one.built.spends_rest and one.priority_fee]
    for one in spending_rest:
        one.is_priced = True
    _stage(spending_rest, "build", _Making.build)
    _measure(gateway, spending_rest)
    _stage(all_of_them, "", _Making.finish)
    return [one.prepared if one.error is None else one.error for one in all_of_them]


class _Making:
    """One order on its way through the stages; each has what the one before it left. `error` is why it goes no
    further."""

    built: Built
    draft: Draft
    measured: Measured
    units: int
    price: int
    prepared: Prepared

    def __init__(self, gateway: Gateway, order: Order) -> None:
        self.gateway, self.order = gateway, order
        self.error: Exception | None = None
        # Whether it is simulated at its own price, so that the balances show the whole fee.
        self.is_priced = False
        self.wallet = SignerWallet(order.signer_address, gateway, BASE_FEE_LAMPORTS)

    def build(self) -> None:
        order = self.order
        self.built = actions.build(order.actions, order.context, self.wallet)
        memo = instructions.memo(builder.attempt_memo(order.execution_id, order.attempt), order.signer_address)
        self.draft = Draft(
            payer=order.signer_address,
            body=[*self.built.instructions, memo],
            tables=self.gateway.lookup_tables(self.built.lookup_tables),
            idls=self.wallet.idls,
            looks=not self.built.is_plain,
            units=self.units if self.is_priced else COMPUTE_UNITS_MAX,
            price=self.price if self.is_priced else 0,
        )

    @property
    def writable(self) -> tuple[str, ...]:
        metas = (meta for one in self.draft.body for meta in one.accounts if meta.is_writable)
        return tuple(sorted({self.draft.payer} | {str(meta.pubkey) for meta in metas}))

    def set_price(self, fees: Sequence[int]) -> None:
        self.units = _unit_limit(self.measured.simulation.units_consumed)
        self.price = _unit_price(fees, self.units, self.order.attempt)
        self.wallet.fee_lamports = BASE_FEE_LAMPORTS + self.priority_fee

    @property
    def priority_fee(self) -> int:
        return _rounded_up(self.units * self.price, 1_000_000)

    def finish(self) -> None:
        draft, measured = self.draft, self.measured
        unseen_fee = 0 if self.is_priced else self.priority_fee
        leaves = outflow(measured.balances, draft.payer, measured.granted, fee_lamports=unseen_fee)
        gained = gainers(measured.balances, measured.keys, draft.payer) if draft.looks else set()
        recipients = sorted(gained | set(self.built.recipients))
        self.prepared = Prepared(
            message=replace(draft, units=self.units, price=self.price).compiled(measured.blockhash),
            last_valid_block_height=measured.blockhash.last_valid_block_height,
            outflow=leaves,
            recipients=recipients,
            programs=sorted({str(one.program_id) for one in self.built.instructions}),
            simulation={
                "slot": measured.simulation.slot,
                "compute_units": measured.simulation.units_consumed,
                "fee_lamports": BASE_FEE_LAMPORTS + self.priority_fee,
                "outflow_lamports": leaves.lamports,
                "outflow_tokens": leaves.tokens,
                "recipients": recipients,
                "logs": list(measured.simulation.logs),
            },
            changes=balance_changes(measured.balances, measured.keys, fee_lamports=unseen_fee),
            keys=measured.keys,
            idls=self.wallet.idls,
        )

    def fail(self, error: Exception) -> None:
        if isinstance(error, InvalidTransaction):
            self.error = BuildFailed(str(error))
        elif isinstance(error, Rejected):
            self.error = SimulationFailed(str(error))
        elif isinstance(error, ChainError):
            self.error = NotNow(str(error))
        else:
            self.error = error


def _going(makings: Iterable[_Making]) -> list[_Making]:
    return [one for one in makings if one.error is None]


def _stage(makings: Iterable[_Making], name: str, work: Callable[[_Making], None]) -> None:
    """Bring those that still go through a stage, a few at a time: it may have to ask."""
    going, started_ns = _going(makings), time.time_ns()
    _passed(going, name, started_ns, outcomes(work, going))


def _measure(gateway: Gateway, makings: Iterable[_Making]) -> None:
    going, started_ns = _going(makings), time.time_ns()
    found = measure(gateway, [one.draft for one in going])
    for one, measured in zip(going, found, strict=True):
        if not isinstance(measured, Exception):
            one.measured = measured
    _passed(going, "simulate", started_ns, found)


def _passed(makings: Sequence[_Making], name: str, started_ns: int, found: Sequence[object]) -> None:
    for one, outcome in zip(makings, found, strict=True):
        if isinstance(outcome, Exception):
            one.fail(outcome)
        if name:
            one.order.told(name, started_ns, type(outcome).__name__ if isinstance(outcome, Exception) else "")


def _price(gateway: Gateway, makings: Iterable[_Making]) -> None:
    going = _going(makings)
    for one, fees in zip(going, gateway.recent_fees([one.writable for one in going]), strict=True):
        if isinstance(fees, ChainError):
            one.fail(fees)
        else:
            one.set_price(fees)


def _unit_limit(consumed: int) -> int:
    with_margin = _rounded_up(consumed * (100 + COMPUTE_UNITS_MARGIN_PERCENT), 100)
    return min(COMPUTE_UNITS_MAX, with_margin + COMPUTE_BUDGET_UNITS)


def _unit_price(recent_fees: Sequence[int], units: int, attempt: int) -> int:
    """Micro-lamports per unit: a percentile of what landed lately on the same writable accounts, under the cap."""
    fees = sorted(recent_fees)
    price = fees[min(len(fees) - 1, len(fees) * settings.PRIORITY_FEE_PERCENTILE // 100)] if fees else 0
    raised = _rounded_up(price * (100 + FEE_GROWTH_PERCENT) ** (attempt - 1), 100 ** (attempt - 1))
    return min(raised, settings.PRIORITY_FEE_CAP_LAMPORTS * 1_000_000 // units)


def _rounded_up(amount: int, divisor: int) -> int:
    return -(-amount // divisor)
