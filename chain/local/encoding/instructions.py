"""Instructions on the wire: compiled (indexes), or parsed where a parser knows the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import base58

from chain.local.encoding.instruction_data import InstructionReader, NotParsableError
from chain.local.encoding.system_instructions import parse_system_instruction
from chain.local.encoding.token_instructions import parse_token_instruction
from chain.local.programs import (
    ADDRESS_LOOKUP_TABLE,
    ASSOCIATED_TOKEN,
    MEMO,
    MEMO_V1,
    SYSTEM,
    TOKEN,
    TOKEN_2022,
)


def compiled_instruction(program_index: int, accounts: bytes, data: bytes, stack_height: int) -> dict[str, Any]:
    """`UiCompiledInstruction`: indexes into the transaction's account keys."""
    return {
        "programIdIndex": program_index,
        "accounts": list(accounts),
        "data": base58.b58encode(data).decode(),
        "stackHeight": stack_height,
    }


def parsed_instruction(
    program_index: int, accounts: bytes, data: bytes, stack_height: int, keys: Sequence[str]
) -> dict[str, Any]:
    """`UiParsedInstruction`, or the partially decoded form (addresses and base58 data) for what no parser knows."""
    program_id = keys[program_index]
    addresses = [keys[index] for index in accounts]
    parser = _PARSERS.get(program_id)
    if parser is not None:
        program, parse = parser
        try:
            parsed = parse(InstructionReader(data, addresses))
            return {"program": program, "programId": program_id, "parsed": parsed, "stackHeight": stack_height}
        except NotParsableError:
            pass  # Solana too shows such an instruction in the partially decoded form below.
    return {
        "programId": program_id,
        "accounts": addresses,
        "data": base58.b58encode(data).decode(),
        "stackHeight": stack_height,
    }


def _memo(read: InstructionReader) -> str:
    return read.rest_as_text()


def _associated_token(read: InstructionReader) -> dict[str, Any]:
    tag = 0 if read.at_end else read.unsigned(1)
    if tag in (0, 1):
        info = read.named("source", "account", "wallet", "mint", "systemProgram", "tokenProgram")
        return {"type": ("create", "createIdempotent")[tag], "info": info}
    if tag == 2:
        names = ("nestedSource", "nestedMint", "destination", "nestedOwner", "ownerMint", "wallet", "tokenProgram")
        return {"type": "recoverNested", "info": read.named(*names)}
    raise NotParsableError


def _lookup_table(read: InstructionReader) -> dict[str, Any]:
    tag = read.unsigned(4)
    info: dict[str, Any] = dict(read.named("lookupTableAccount", "lookupTableAuthority"))
    if tag == 0:
        info |= {"payerAccount": read.account(2), "systemProgram": read.account(3)}
        info |= {"recentSlot": read.unsigned(8), "bumpSeed": read.unsigned(1)}
        return {"type": "createLookupTable", "info": info}
    if tag == 1:
        return {"type": "freezeLookupTable", "info": info}
    if tag == 2:
        info["newAddresses"] = [read.key() for _ in range(read.unsigned(8))]
        if len(read.accounts_from(2)) >= 2:
            info |= {"payerAccount": read.account(2), "systemProgram": read.account(3)}
        return {"type": "extendLookupTable", "info": info}
    if tag == 3:
        return {"type": "deactivateLookupTable", "info": info}
    if tag == 4:
        return {"type": "closeLookupTable", "info": {**info, "recipient": read.account(2)}}
    raise NotParsableError


_PARSERS: dict[str, tuple[str, Callable[[InstructionReader], Any]]] = {
    str(SYSTEM): ("system", parse_system_instruction),
    str(TOKEN): ("spl-token", parse_token_instruction),
    # Solana's parser names both token programs so, other than for accounts.
    str(TOKEN_2022): ("spl-token", parse_token_instruction),
    str(ASSOCIATED_TOKEN): ("spl-associated-token-account", _associated_token),
    str(MEMO): ("spl-memo", _memo),
    str(MEMO_V1): ("spl-memo", _memo),
    str(ADDRESS_LOOKUP_TABLE): ("address-lookup-table", _lookup_table),
}
