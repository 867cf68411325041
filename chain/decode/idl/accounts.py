"""The accounts of an instruction: named, fixed by the IDL, derived from seeds, or known to everybody.

For each account, the first that applies:

1. what the caller gives it (as `pool` or `group.pool`, in camelCase or snake_case; alone where only one has the name)
2. the address that the IDL fixes
3. optional and not named: left out, which Anchor writes as the program's own address
4. Anchor's pair `event_authority`, `program`, by which programs log events
5. derived from its seeds
6. a name that every client knows: `system_program`, `token_program`, `associated_token_program`, `rent`
7. the workflow's signer, for the one account that must sign and has no address so far

The workflow's signer is the only one who signs: any other address where a signature is asked for is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chain.decode.idl import scalars
from chain.decode.idl.errors import AccountErrors, Problem, TypeProblem
from chain.decode.idl.model import AccountItem, AccountSeed, Idl, Instruction, UnknownSeed
from chain.decode.idl.names import choices, find, meant, same_name
from chain.decode.idl.seeds import NotDerivable, ReadAccount, derive
from chain.decode.idl.well_known import WELL_KNOWN, event_pair_address


@dataclass(frozen=True, slots=True)
class AccountUse:
    """An account as an instruction lists it."""

    address: str
    signer: bool
    writable: bool


def resolve_accounts(
    idl: Idl,
    instruction: Instruction,
    *,
    given: Mapping[str, str],
    args: Mapping[str, Any],
    signer: str,
    read_account: ReadAccount,
) -> list[AccountUse]:
    """The accounts in the instruction's order. `read_account` answers an account's data, None where there is none; it
    is asked only for accounts in whose data a seed is.

    Raises:
        AccountErrors: paths begin with `accounts`. Besides, whatever `read_account` raises.
    """
    problems: list[Problem] = []
    named = _named(instruction, given, problems)
    resolving = _Resolving(idl, instruction, named, args, signer, read_account)
    uses = []
    for item in instruction.accounts:
        try:
            uses.append(resolving.use(item))
        except NotDerivable as error:
            problems.append(Problem(f"accounts.{item.full_name}", str(error)))
    if problems:
        raise AccountErrors(problems)
    return uses


def account_problems(
    idl: Idl, instruction: Instruction, given: Mapping[str, str], is_open: Callable[[Any], bool]
) -> list[Problem]:
    """What `resolve_accounts` would refuse, as far as it can be said without the chain, the signer and open values."""
    problems: list[Problem] = []
    named = _named(instruction, given, problems)
    alone = _signer_by_default(idl, instruction, named)
    for item in instruction.accounts:
        path, address = f"accounts.{item.full_name}", named.get(item.full_name)
        if address is not None and item.address not in (None, address) and not is_open(address):
            problems.append(Problem(path, f"is always {item.address}"))
        elif address is None and not _is_implied(idl, instruction, item) and item != alone:
            problems.append(Problem(path, _missing(item)))
    return problems


def _named(instruction: Instruction, given: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    """The given addresses by full name."""
    items = _by_spelling(instruction)
    named: dict[str, str] = {}
    for name, address in given.items():
        item = find(name, items)
        if item is None:
            known = [one.full_name for one in instruction.accounts]
            detail = f"is no account of {instruction.name}{meant(name, known)} Its accounts: {choices(known)}"
            problems.append(Problem(f"accounts.{name}", detail))
        elif item.full_name in named:
            problems.append(Problem(f"accounts.{name}", f"is given twice, in two spellings of {item.full_name}"))
        else:
            named[item.full_name] = address
    return named


def _by_spelling(instruction: Instruction) -> dict[str, AccountItem]:
    """By full name, and without groups where that is one account only."""
    plain: dict[str, list[AccountItem]] = {}
    for item in instruction.accounts:
        plain.setdefault(same_name(item.name), []).append(item)
    short = {items[0].name: items[0] for items in plain.values() if len(items) == 1}
    return {**short, **{item.full_name: item for item in instruction.accounts}}


def _is_implied(idl: Idl, instruction: Instruction, item: AccountItem) -> bool:
    """Whether it needs no name: rules 2 to 6."""
    if item.address is not None or item.optional or event_pair_address(idl, instruction, item) is not None:
        return True
    if item.pda is not None:
        return _why_underivable(item) is None
    return same_name(item.name) in WELL_KNOWN


def _signer_by_default(idl: Idl, instruction: Instruction, named: Mapping[str, str]) -> AccountItem | None:
    """Rule 7. Two that must sign are a question for a person: the second may be an account to be made."""
    open_ones = [
        item
        for item in instruction.accounts
        if item.signer and item.full_name not in named and not _is_implied(idl, instruction, item)
    ]
    return open_ones[0] if len(open_ones) == 1 else None


def _missing(item: AccountItem) -> str:
    why = _why_underivable(item)
    if why is not None:
        return f"must be named: {why}"
    if item.signer:
        return "must be named: more than one account must sign, and only the workflow's signer can"
    return "is missing, and the IDL does not say how to derive it"


def _why_underivable(item: AccountItem) -> str | None:
    """What in an IDL's seeds nobody can evaluate; None where there is no such thing, or there are no seeds."""
    for seed in (*item.pda.seeds, item.pda.program) if item.pda is not None else ():
        if isinstance(seed, UnknownSeed):
            return f"{seed.text} cannot be derived from an IDL"
        if isinstance(seed, AccountSeed) and same_name(seed.path[0]) == same_name(item.name):
            return "the IDL derives it from its own data"
    return None


def _require_address(text: str) -> None:
    try:
        scalars.pubkey_to_bytes(text)
    except scalars.Unfit as error:
        raise NotDerivable(str(error)) from error


class _Resolving:
    """The addresses of one call. Seeds may need other accounts, so each is found when it is asked for first."""

    def __init__(
        self,
        idl: Idl,
        instruction: Instruction,
        named: Mapping[str, str],
        args: Mapping[str, Any],
        signer: str,
        read_account: ReadAccount,
    ) -> None:
        self._idl = idl
        self._instruction = instruction
        self._named = named
        self._args = args
        self._signer = signer
        self._read_account = read_account
        self._alone = _signer_by_default(idl, instruction, named)
        self._items = _by_spelling(instruction)
        self._found: dict[str, str] = {}
        self._open: list[str] = []

    def use(self, item: AccountItem) -> AccountUse:
        """Raises NotDerivable."""
        if self._is_left_out(item):
            return AccountUse(self._idl.program_id, signer=False, writable=False)
        address = self._address(item)
        if item.signer and address != self._signer:
            raise NotDerivable(f"({address}) must sign: a workflow signs with its own signer ({self._signer}) only")
        return AccountUse(address, item.signer, item.writable)

    def _is_left_out(self, item: AccountItem) -> bool:
        return item.optional and item.full_name not in self._named and item.address is None

    def _address(self, item: AccountItem) -> str:
        name = item.full_name
        if name in self._found:
            return self._found[name]
        if name in self._open:
            raise NotDerivable(f"is derived from itself ({' from '.join([*self._open, name])}): name one of them")
        self._open.append(name)
        try:
            address = self._found[name] = self._look_up(item)
        finally:
            self._open.pop()
        return address

    def _look_up(self, item: AccountItem) -> str:
        given = self._named.get(item.full_name)
        if given is not None:
            _require_address(given)
            if item.address not in (None, given):
                raise NotDerivable(f"is always {item.address}, not {given}")
            return given
        if item.address is not None:
            return item.address
        if self._is_left_out(item):
            raise NotDerivable("is optional and was left out, and another account is derived from it")
        pair = event_pair_address(self._idl, self._instruction, item)
        if pair is not None:
            return pair
        if item.pda is not None and _why_underivable(item) is None:
            return self._derived(item)
        known = WELL_KNOWN.get(same_name(item.name))
        if known is not None:
            return known
        if item == self._alone:
            return self._signer
        raise NotDerivable(_missing(item))

    def _derived(self, item: AccountItem) -> str:
        assert item.pda is not None

        def find_account(path: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
            other, below = self._other(item, path)
            return self._address(other), below

        try:
            return derive(self._idl, self._instruction, item.pda, self._args, find_account, self._read_account)
        except TypeProblem as error:
            raise NotDerivable(str(error)) from error

    def _other(self, item: AccountItem, path: tuple[str, ...]) -> tuple[AccountItem, tuple[str, ...]]:
        """The account that a seed's path begins with, in the same group first, and the path below it."""
        for length in range(len(path), 0, -1):
            for groups in (item.path[:-1], ()):
                other = find(".".join((*groups, *path[:length])), self._items)
                if other is not None:
                    return other, path[length:]
        raise NotDerivable(f"its seed {'.'.join(path)} names no account of the instruction")
