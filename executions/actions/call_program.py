"""Any instruction of any program: by its bytes, or by its name in an Anchor IDL.

The workflow's signer is the only one who signs. What the call takes out of the signer's accounts is found by simulation
afterwards, so nothing here judges what it is for.
"""

from __future__ import annotations

from typing import Any

from chain.decode.idl import (
    AccountErrors,
    ArgumentErrors,
    Idl,
    InvalidIdl,
    UnknownName,
    encode_arguments,
    resolve_accounts,
)
from chain.tx import instructions
from executions.actions.base import Built, Context, Wallet, address
from executions.errors import BuildFailed
from workflows.specs.actions import CallProgramByIdl, CallProgramRaw, decode_data
from workflows.templating import is_template, render_exact


def build(action: CallProgramRaw | CallProgramByIdl, context: Context, wallet: Wallet, built: Built) -> None:
    """Adds the call, and the lookup tables that it names."""
    if isinstance(action, CallProgramRaw):
        accounts, data = _raw(action, context, wallet)
    else:
        accounts, data = _by_idl(action, context, wallet)
    built.instructions.append(instructions.instruction(action.program_id, accounts, data))
    built.lookup_tables.extend(table for table in action.lookup_tables if table not in built.lookup_tables)


def _raw(action: CallProgramRaw, context: Context, wallet: Wallet) -> tuple[list[tuple[str, bool, bool]], bytes]:
    accounts = [(address(meta.address, context), meta.signer, meta.writable) for meta in action.accounts]
    for place, (account, signs, _) in enumerate(accounts):
        if signs and account != wallet.address:
            raise BuildFailed(
                f"accounts[{place}] ({account}) must sign: a workflow signs with its own signer only",
                code="accounts_invalid",
            )
    text = render_exact(action.data, context).strip() if is_template(action.data) else action.data
    try:
        return accounts, decode_data(text, action.encoding)
    except ValueError as error:
        raise BuildFailed(f"data is not {action.encoding} once it is rendered", code="arguments_invalid") from error


def _by_idl(action: CallProgramByIdl, context: Context, wallet: Wallet) -> tuple[list[tuple[str, bool, bool]], bytes]:
    idl = _idl(action, wallet)
    given = {name: address(text, context) for name, text in action.accounts.items()}
    args = _rendered(action.args, context)
    try:
        instruction = idl.instruction(action.instruction)
        data = encode_arguments(idl, instruction, args)
        uses = resolve_accounts(
            idl, instruction, given=given, args=args, signer=wallet.address, read_account=wallet.account_data
        )
    except UnknownName as error:
        raise BuildFailed(str(error), code="instruction_unknown") from error
    except ArgumentErrors as error:
        raise BuildFailed(str(error), code="arguments_invalid") from error
    except AccountErrors as error:
        raise BuildFailed(str(error), code="accounts_invalid") from error
    return [(use.address, use.signer, use.writable) for use in uses], data


def _idl(action: CallProgramByIdl, wallet: Wallet) -> Idl:
    """The IDL as it is now: it may have been deleted or changed since the definition was saved."""
    try:
        idl = wallet.idl(action.idl)
    except InvalidIdl as error:
        raise BuildFailed(f"the IDL cannot be used: {error}", code="idl_invalid") from error
    if idl is None:
        raise BuildFailed(f"there is no IDL {action.idl}", code="idl_missing")
    if idl.program_id != action.program_id:
        raise BuildFailed(f"the IDL is that of {idl.program_id}, not of {action.program_id}", code="idl_other_program")
    return idl


def _rendered(value: Any, context: Context) -> Any:
    """The value with every template in it rendered, at any depth. What comes out of one is text, which integers,
    addresses, booleans and bytes take too."""
    if isinstance(value, str):
        return render_exact(value, context) if is_template(value) else value
    if isinstance(value, dict):
        return {name: _rendered(one, context) for name, one in value.items()}
    return [_rendered(one, context) for one in value] if isinstance(value, list) else value
