"""What a transaction takes out of a signer's accounts: the figure that limits judge. Pure.

Two halves, because two things tell it:

1. Balances before and after (a simulation's, or a landed transaction's own): lamports of the wallet, the rent in the
   signer's token accounts, tokens by owner. An account that changed its owner, or was closed, has left.
2. The accounts' data before and after, which only a simulation shows: what a new delegate or close authority may take
   later, lamports kept in stake and nonce accounts, programs and tables. This part is `granted`: it stays in a day's
   sums after the first part was settled with what the chain charged.

Powers that have no amount (a mint authority, an upgrade authority, the wallet itself handed to a program) are refused.
Whatever cannot be told is no permission.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chain.decode import authorities
from chain.decode.answer import token_balance
from chain.decode.authorities import Authorities, TokenAccount
from chain.types import AccountSample, Simulation, TokenBalance
from executions.errors import LimitExceeded, SimulationFailed

NATIVE_MINTS = frozenset(
    {"So11111111111111111111111111111111111111112", "9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXej9"}
)


@dataclass(frozen=True, slots=True)
class Granted:
    """What no balance shows. Lamports may be negative: an own stake account took what the wallet gave."""

    lamports: int = 0
    tokens: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"lamports": self.lamports, "tokens": dict(self.tokens)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Granted:
        return cls(stored.get("lamports", 0), {mint: int(amount) for mint, amount in stored.get("tokens", {}).items()})


@dataclass(frozen=True, slots=True)
class Outflow:
    """What leaves: lamports with fee and rent, base units by mint, `granted` included in both. Never negative."""

    lamports: int
    tokens: dict[str, int]
    granted: Granted = Granted()


@dataclass(frozen=True, slots=True)
class Balances:
    """Balances before and after, by the place of the account in the message. The signer pays, so it is the first."""

    before: Sequence[int]
    after: Sequence[int]
    tokens_before: Sequence[TokenBalance]
    tokens_after: Sequence[TokenBalance]

    @classmethod
    def of_simulation(cls, simulated: Simulation) -> Balances:
        """Raises SimulationFailed where the node tells no balances."""
        parts = (
            simulated.pre_balances,
            simulated.post_balances,
            simulated.pre_token_balances,
            simulated.post_token_balances,
        )
        if any(part is None for part in parts):
            raise SimulationFailed("the node's simulation tells no balances, so nothing says what would be spent")
        return cls(*parts)  # type: ignore[arg-type]

    @classmethod
    def of_meta(cls, meta: Mapping[str, Any]) -> Balances:
        """Of a landed transaction (`meta` of `getTransaction`)."""
        return cls(
            meta["preBalances"],
            meta["postBalances"],
            [token_balance(entry) for entry in meta.get("preTokenBalances") or ()],
            [token_balance(entry) for entry in meta.get("postTokenBalances") or ()],
        )


def outflow(balances: Balances, signer: str, granted: Granted = Granted(), *, fee_lamports: int = 0) -> Outflow:
    """Both halves together; `fee_lamports` is what the balances do not hold yet: a simulated message has no price."""
    lamports = balances.before[0] - balances.after[0] + fee_lamports + _rent_out(balances, signer) + granted.lamports
    tokens = Counter(granted.tokens)
    for balance in balances.tokens_before:
        if balance.owner == signer:
            tokens[balance.mint] += balance.amount
    for balance in balances.tokens_after:
        if balance.owner == signer:
            tokens[balance.mint] -= balance.amount
    return Outflow(max(0, lamports), {mint: amount for mint, amount in tokens.items() if amount > 0}, granted)


def _rent_out(balances: Balances, signer: str) -> int:
    """Lamports that were in the signer's token accounts and are not any more. In one of a native mint the amount is
    lamports too, and counts as tokens alone."""
    kept = {one.account_index: one for one in balances.tokens_after if one.owner == signer}
    out = 0
    for one in balances.tokens_before:
        if one.owner == signer:
            out += balances.before[one.account_index] - _wrapped(one)
            after = kept.get(one.account_index)
            out -= balances.after[one.account_index] - _wrapped(after) if after is not None else 0
    return out


def _wrapped(balance: TokenBalance) -> int:
    return balance.amount if balance.mint in NATIVE_MINTS else 0


@dataclass(frozen=True, slots=True)
class Look:
    """The data of a simulated transaction's writable accounts, before and after it, with their balances."""

    addresses: Sequence[str]
    before: Sequence[AccountSample | None]
    after: Sequence[AccountSample | None]

    def __iter__(self) -> Iterator[tuple[str, AccountSample | None, AccountSample | None]]:
        return zip(self.addresses, self.before, self.after, strict=True)


def granted(look: Look, signer: str) -> Granted:
    """What the data says would be given away.

    Raises:
        LimitExceeded: a power without an amount would be given away (`authority_changed`).
        SimulationFailed: the node does not show the accounts.
    """
    if len(look.after) != len(look.addresses):
        raise SimulationFailed("the node's simulation does not show the accounts, so nothing says who would own them")
    lamports, tokens = 0, Counter[str]()
    for address, before, after in look:
        if address == signer:
            _require_untouched(before, after)
            continue
        was, is_now = authorities.read(before), authorities.read(after)
        if was is None:
            continue
        if was.token is not None:
            lamports += _token_account(was.token, is_now, after, signer, tokens)
            continue
        _require_powers(address, was, is_now, signer)
        if was.keeper == signer:
            kept = after is not None and is_now is not None and is_now.keeper == signer
            lamports += _lamports(before) - (_lamports(after) if kept else 0)
    # Unary plus: without those that came to nothing.
    return Granted(lamports, dict(+tokens))


def _require_untouched(before: AccountSample | None, after: AccountSample | None) -> None:
    """The wallet is a system account without data. Given to a program, all it has is that program's."""
    if after is None or not after.lamports:
        return
    if before is not None and before.lamports and (after.owner, after.data) != (before.owner, before.data):
        raise LimitExceeded(f"the signer's own account would be handed to {after.owner}", code="authority_changed")


def _token_account(
    was: TokenAccount, is_now: Authorities | None, after: AccountSample | None, signer: str, tokens: Counter[str]
) -> int:
    """Adds what a new delegate may take to `tokens`; returns the lamports that a new close authority may take."""
    now = is_now.token if is_now is not None else None
    if was.owner != signer or now is None or now.owner != signer:
        return 0  # not ours, or gone as a whole, which the balances say
    if now.delegate not in (None, signer):
        known = was.delegated if was.delegate == now.delegate else 0
        tokens[now.mint] += max(0, now.delegated - known)
    if now.close_authority in (None, signer) or now.close_authority == was.close_authority:
        return 0
    return _lamports(after)


def _require_powers(address: str, was: Authorities, is_now: Authorities | None, signer: str) -> None:
    if is_now is None:
        return  # closed: its lamports are counted, and a power over nothing is none
    for role, holder in was.roles.items():
        successor = is_now.roles.get(role)
        if holder == signer and successor != signer:
            detail = f"the {role} of the {was.kind} {address} would pass from the signer to {successor or 'nobody'}"
            raise LimitExceeded(detail, code="authority_changed")


def _lamports(account: AccountSample | None) -> int:
    return 0 if account is None else account.lamports


def gainers(balances: Balances, keys: Sequence[str], signer: str) -> set[str]:
    """Who has more afterwards, token accounts by their owner: whom the transaction pays, whatever it claims."""
    owners = {one.account_index: one.owner for one in (*balances.tokens_before, *balances.tokens_after)}
    found = {
        owners.get(place) or keys[place]
        for place, (before, after) in enumerate(zip(balances.before, balances.after, strict=True))
        if after > before
    }
    tokens = Counter[tuple[str, str]]()
    for sign, side in ((-1, balances.tokens_before), (1, balances.tokens_after)):
        for one in side:
            tokens[(one.owner or keys[one.account_index], one.mint)] += sign * one.amount
    found |= {owner for (owner, _), amount in tokens.items() if amount > 0}
    return found - {signer}
