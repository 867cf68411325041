"""What transactions would do, by simulating them without a signature: many in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.message import MessageV0

from chain.decode.idl import Idl
from chain.errors import ChainError
from chain.tx import builder, instructions
from chain.types import AccountSample, Blockhash, Simulation
from executions import delegation
from executions.errors import NotNow, SimulationFailed
from executions.gateway import Gateway
from executions.outflow import Balances, Granted, Look, granted
from executions.program_errors import explain
from executions.threads import outcomes, then, together

COMPUTE_UNITS_MAX = 1_400_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction but for its blockhash: with `units`, its limit of compute units, and `price`, micro-lamports of
    one. `looks`: its programs may do more than they name, so what becomes of its accounts is looked at too."""

    payer: str
    body: list[Instruction]
    tables: list[AddressLookupTableAccount]
    idls: Mapping[str, Idl]
    looks: bool
    units: int = COMPUTE_UNITS_MAX
    price: int = 0

    def compiled(self, blockhash: Blockhash) -> MessageV0:
        """The message. Raises InvalidTransaction."""
        limit = instructions.compute_unit_limit(self.units)
        budget = [limit, instructions.compute_unit_price(self.price)] if self.price else [limit]
        return builder.compile_message([*budget, *self.body], self.payer, blockhash.blockhash, self.tables)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a simulation said. `keys` are in the order of the balances."""

    simulation: Simulation
    blockhash: Blockhash
    balances: Balances
    granted: Granted
    keys: list[str]


@dataclass(frozen=True, slots=True)
class _Trial:
    """A draft under a blockhash, as bytes that can be simulated."""

    draft: Draft
    blockhash: Blockhash
    message: MessageV0
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Seen:
    """The answer to a trial; `before` are its writable accounts as they were, where they were looked at."""

    trial: _Trial
    simulation: Simulation
    before: Sequence[AccountSample | None] = ()


def measure(gateway: Gateway, drafts: Sequence[Draft]) -> list[Measured | Exception]:
    """Run each as it would run now, with a cached blockhash; those that the node does not know it for are run once more
    with a new one. An exception is ChainError, or why the transaction would fail: SimulationFailed, NotNow."""
    found = _measure(gateway, drafts)
    unknown = [place for place, one in enumerate(found) if isinstance(one, _BlockhashUnknown)]
    if unknown:
        gateway.forget_blockhash()
        for place, again in zip(unknown, _measure(gateway, [drafts[place] for place in unknown]), strict=True):
            found[place] = again
    return found


class _BlockhashUnknown(NotNow):
    def __init__(self) -> None:
        super().__init__("the node does not know its own latest blockhash: it lags, or two nodes disagree")


def _measure(gateway: Gateway, drafts: Sequence[Draft]) -> list[Measured | Exception]:
    trials = then(partial(_trial, gateway), drafts)
    return then(_read, together(partial(_simulated, gateway), trials))


def _trial(gateway: Gateway, draft: Draft) -> _Trial:
    blockhash = gateway.blockhash()
    message = draft.compiled(blockhash)
    return _Trial(draft, blockhash, message, builder.unsigned_bytes(message))


def _simulated(gateway: Gateway, trials: Sequence[_Trial]) -> list[_Seen | Exception]:
    plain = [one for one in trials if not one.draft.looks]
    simulations = gateway.rpc.simulate_many([one.raw for one in plain])
    seen = iter(
        found if isinstance(found, ChainError) else _Seen(trial, found)
        for trial, found in zip(plain, simulations, strict=True)
    )
    looked = iter(outcomes(partial(_look, gateway), [one for one in trials if one.draft.looks]))
    return [next(looked) if one.draft.looks else next(seen) for one in trials]


def _look(gateway: Gateway, trial: _Trial) -> _Seen:
    before, simulation = gateway.rpc.simulate_and_look(trial.raw, _writable(trial))
    return _Seen(trial, simulation, before)


def _writable(trial: _Trial) -> list[str]:
    return builder.writable_accounts(trial.message, trial.draft.tables)


def _read(seen: _Seen) -> Measured:
    result, trial, draft = seen.simulation, seen.trial, seen.trial.draft
    if result.err == "BlockhashNotFound":
        raise _BlockhashUnknown
    writable = _writable(trial) if draft.looks else []
    if result.err is not None:
        known = dict(zip(writable, seen.before, strict=True)) if seen.before else None
        why = explain(result.err, message=trial.message, logs=result.logs, idls=draft.idls, before=known)
        raise SimulationFailed(
            f"the transaction would fail: {why}",
            simulation={"err": result.err, "logs": list(result.logs), "compute_units": result.units_consumed},
        )
    grants = Granted()
    if draft.looks:
        taken = delegation.taken_from(draft.body, draft.payer)
        grants = granted(Look(writable, seen.before, result.accounts), draft.payer, taken)
    keys = builder.account_keys(trial.message, draft.tables)
    return Measured(result, trial.blockhash, Balances.of_simulation(result, keys), grants, keys)
