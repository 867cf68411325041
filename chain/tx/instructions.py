"""The instructions that SolFlow writes itself: text addresses and integers in base units in, solders instructions out.

Every function raises InvalidTransaction for a text that is no address or an amount that does not fit its field.
"""

from __future__ import annotations

from solders import compute_budget, system_program
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from spl.memo.constants import MEMO_PROGRAM_ID
from spl.memo.instructions import create_memo
from spl.memo.models import MemoParams
from spl.token import instructions as spl_token
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID
from spl.token.models import CloseAccountParams, InitializeAccount3Params, TransferCheckedParams

from chain.errors import InvalidTransaction

TOKEN_PROGRAM = str(TOKEN_PROGRAM_ID)
TOKEN_2022_PROGRAM = str(TOKEN_2022_PROGRAM_ID)
MEMO_PROGRAM = str(MEMO_PROGRAM_ID)
TOKEN_ACCOUNT_BYTES = 165

_U8_MAX = 2**8 - 1
_U32_MAX = 2**32 - 1
_U64_MAX = 2**64 - 1


def transfer_sol(source: str, to: str, lamports: int) -> Instruction:
    """Moves lamports between two system accounts; the source signs."""
    amount = _within("lamports", lamports, _U64_MAX)
    return system_program.transfer(
        system_program.TransferParams(from_pubkey=_key(source), to_pubkey=_key(to), lamports=amount)
    )


def transfer_token_checked(
    source: str, mint: str, to: str, owner: str, amount: int, decimals: int, token_program: str = TOKEN_PROGRAM
) -> Instruction:
    """Moves base units between two token accounts of a mint; the owner (or delegate) of the source signs.

    The chain refuses it when `decimals` are not the mint's, so an amount can never be read at another scale.
    """
    return spl_token.transfer_checked(
        TransferCheckedParams(
            program_id=_token_program(token_program),
            source=_key(source),
            mint=_key(mint),
            dest=_key(to),
            owner=_key(owner),
            amount=_within("amount", amount, _U64_MAX),
            decimals=_within("decimals", decimals, _U8_MAX),
        )
    )


def create_associated_token_account_idempotent(
    payer: str, wallet: str, mint: str, token_program: str = TOKEN_PROGRAM
) -> Instruction:
    """Opens the wallet's token account of the mint unless it exists; the payer signs and pays its rent."""
    return spl_token.create_idempotent_associated_token_account(
        _key(payer), _key(wallet), _key(mint), _token_program(token_program)
    )


def associated_token_address(wallet: str, mint: str, token_program: str = TOKEN_PROGRAM) -> str:
    """The address of the wallet's associated token account; whether it exists is another question."""
    return str(spl_token.get_associated_token_address(_key(wallet), _key(mint), _token_program(token_program)))


def open_token_account(signer: str, seed: str, mint: str, lamports: int) -> tuple[str, list[Instruction]]:
    """A token account of the signer (of the Token program) whose address follows from the seed: the address, and what
    makes it. `lamports` are the rent of TOKEN_ACCOUNT_BYTES, which the signer pays."""
    base = _key(signer)
    account = Pubkey.create_with_seed(base, seed, TOKEN_PROGRAM_ID)
    made = system_program.create_account_with_seed(
        system_program.CreateAccountWithSeedParams(
            from_pubkey=base,
            to_pubkey=account,
            base=base,
            seed=seed,
            lamports=_within("lamports", lamports, _U64_MAX),
            space=TOKEN_ACCOUNT_BYTES,
            owner=TOKEN_PROGRAM_ID,
        )
    )
    opened = spl_token.initialize_account3(
        InitializeAccount3Params(program_id=TOKEN_PROGRAM_ID, account=account, mint=_key(mint), owner=base)
    )
    return str(account), [made, opened]


def close_token_account(account: str, to: str, owner: str) -> Instruction:
    """Gives all lamports of an account of the Token program to `to`, those of wrapped SOL too; the owner signs."""
    return spl_token.close_account(
        CloseAccountParams(program_id=TOKEN_PROGRAM_ID, account=_key(account), dest=_key(to), owner=_key(owner))
    )


def memo(text: str, signer: str) -> Instruction:
    """A text for everybody to read, which the signer vouches for."""
    return create_memo(MemoParams(program_id=MEMO_PROGRAM_ID, signer=_key(signer), message=text.encode()))


def compute_unit_limit(units: int) -> Instruction:
    """The most compute units the transaction may use; the priority fee is charged for all of them."""
    return compute_budget.set_compute_unit_limit(_within("units", units, _U32_MAX))


def compute_unit_price(micro_lamports: int) -> Instruction:
    """The priority fee: micro-lamports for each compute unit of the limit, rounded up to whole lamports."""
    return compute_budget.set_compute_unit_price(_within("micro_lamports", micro_lamports, _U64_MAX))


def instruction(program_id: str, accounts: list[tuple[str, bool, bool]], data: bytes) -> Instruction:
    """Any other call: `accounts` are (address, signer, writable)."""
    metas = [
        AccountMeta(_key(address), is_signer=signer, is_writable=writable) for address, signer, writable in accounts
    ]
    return Instruction(_key(program_id), data, metas)


def _key(address: str) -> Pubkey:
    try:
        return Pubkey.from_string(address)
    except ValueError as error:
        raise InvalidTransaction(f"{address!r} is no address") from error


def _token_program(address: str) -> Pubkey:
    if address not in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
        raise InvalidTransaction(f"{address!r} is no token program")
    return _key(address)


def _within(name: str, value: int, most: int) -> int:
    if not 0 <= value <= most:
        raise InvalidTransaction(f"{name} must be between 0 and {most}, not {value}")
    return value
