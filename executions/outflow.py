"""What a transaction takes out of a signer's accounts: the figure that limits judge. Pure.

Two halves, because two things tell it:

1. Balances before and after (a simulation's, or a landed transaction's own): lamports of the wallet, the rent in the
   signer's token accounts, tokens by owner. An account that changed its owner, or was closed, has left.
2. The accounts' data before and after, which only a simulation shows: what a new delegate or close authority may take
   later, lamports kept in stake and nonce accounts, programs and tables. This part is `granted`: it stays in a day's
   sums after the first part was settled with what the chain charged.

Token accounts of others that the signer may take from (as their delegate, say) are in its hand as its own are: what
leaves them counts, whoever gets it, and nothing that the signer gains makes up for it. SOL that is wrapped there counts
as lamports.

Powers that have no amount (a mint authority, an upgrade authority, the wallet itself handed to a program) are refused.
Whatever cannot be told is no permission.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chain.decode import authorities
from chain.decode.answer import read_answer
from chain.decode.authorities import Authorities, TokenAccount
from chain.decode.authorized import taken_from
from chain.decode.dispatch import instructions
from chain.types import NATIVE_MINTS, AccountSample, Simulation, TokenBalance
from executions.errors import LimitExceeded, SimulationFailed


@dataclass(frozen=True, slots=True)
class Granted:
    """What no balance shows. Lamports may be negative: an own stake account took what the wallet gave. `drawable` are
    the token accounts of others from which the signer may take."""

    lamports: int = 0
    tokens: Mapping[str, int] = field(default_factory=dict)
    drawable: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, Any]:
        return {"lamports": self.lamports, "tokens": dict(self.tokens), "drawable": sorted(self.drawable)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Granted:
        return cls(
            stored.get("lamports", 0),
            {mint: int(amount) for mint, amount in stored.get("tokens", {}).items()},
            frozenset(stored.get("drawable", ())),
        )


@dataclass(frozen=True, slots=True)
class Outflow:
    """What leaves: lamports with fee and rent, base units by mint, `granted` included in both. Never negative."""

    lamports: int
    tokens: dict[str, int]
    granted: Granted = Granted()


@dataclass(frozen=True, slots=True)
class Balances:
    """Balances before and after, by the place of the account in the message, whose accounts are `keys`. The signer
    pays, so it is the first. `taken_from` are token accounts that its signature is known to have moved something out
    of, its own or not."""

    before: Sequence[int]
    after: Sequence[int]
    tokens_before: Sequence[TokenBalance]
    tokens_after: Sequence[TokenBalance]
    keys: Sequence[str] = ()
    taken_from: frozenset[str] = frozenset()

    @classmethod
    def of_simulation(cls, simulated: Simulation, keys: Sequence[str]) -> Balances:
        """Raises SimulationFailed where the node tells no balances."""
        parts = (
            simulated.pre_balances,
            simulated.post_balances,
            simulated.pre_token_balances,
            simulated.post_token_balances,
        )
        if any(part is None for part in parts):
            raise SimulationFailed("the node's simulation tells no balances, so nothing says what would be spent")
        return cls(*parts, keys)  # type: ignore[arg-type]

    @classmethod
    def of_landed(cls, found: Mapping[str, Any]) -> Balances:
        """Of a landed transaction: what `getTransaction` answered. Raises ValueError where that is none."""
        read = read_answer(found)
        taken = taken_from(instructions(found, read.keys), read.keys[0])
        return cls(*read.lamports, *read.tokens, read.keys, taken)


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
    drawn = _drawn(balances, signer, granted.drawable | balances.taken_from)
    tokens = +tokens + Counter(drawn.tokens)
    return Outflow(max(0, lamports) + drawn.lamports, dict(tokens), granted)


def _drawn(balances: Balances, signer: str, drawable: frozenset[str]) -> Outflow:
    """What left each of these accounts, rent included, which a close authority may take."""
    lamports, tokens = 0, Counter[str]()
    kept = {(one.account_index, one.mint, one.owner): one for one in balances.tokens_after}
    for one in balances.tokens_before if drawable else ():
        if one.owner == signer or balances.keys[one.account_index] not in drawable:
            continue
        after = kept.get((one.account_index, one.mint, one.owner))
        amount = max(0, one.amount - (after.amount if after is not None else 0))
        rent = balances.before[one.account_index] - _wrapped(one)
        rent -= balances.after[one.account_index] - _wrapped(after) if after is not None else 0
        lamports += max(0, rent)
        if one.mint in NATIVE_MINTS:
            lamports += amount
        else:
            tokens[one.mint] += amount
    return Outflow(lamports, dict(tokens))


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


def granted(look: Look, signer: str, taken: frozenset[str] = frozenset()) -> Granted:
    """What the data says would be given away, and which accounts of others the signer may take from: by their data, or
    because its own instructions do (`taken`).

    Raises:
        LimitExceeded: a power without an amount would be given away (`authority_changed`).
        SimulationFailed: the node does not show the accounts.
    """
    if len(look.after) != len(look.addresses):
        raise SimulationFailed("the node's simulation does not show the accounts, so nothing says who would own them")
    lamports, tokens = 0, Counter[str]()
    drawable: set[str] = set()
    for address, before, after in look:
        if address == signer:
            _require_untouched(before, after)
            continue
        was, is_now = authorities.read(before), authorities.read(after)
        if was is None:
            continue
        if was.token is not None:
            lamports += _token_account(was.token, is_now, after, signer, tokens)
            may_take = address in taken or signer in (was.token.delegate, was.token.close_authority)
            if was.token.owner != signer and may_take:
                drawable.add(address)
            continue
        _require_powers(address, was, is_now, signer)
        if was.keeper == signer:
            kept = after is not None and is_now is not None and is_now.keeper == signer
            lamports += _lamports(before) - (_lamports(after) if kept else 0)
    # Unary plus: without those that came to nothing.
    return Granted(lamports, dict(+tokens), frozenset(drawable))


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
    if now is None or now.owner != was.owner or signer not in (was.owner, was.close_authority):
        return 0  # not in the signer's hand, or gone as a whole, which the balances say
    if was.owner == signer and now.delegate not in (None, signer):
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
