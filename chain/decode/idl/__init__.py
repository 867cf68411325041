"""Anchor IDLs of both formats (before 0.30, and spec 0.1.0): what writes instructions, and reads what programs tell.

    idl = parse_idl(document, program_id)            InvalidIdl: what keeps the document from being used, with its path
    idl.instruction(name)                            UnknownName lists what there is
    encode_arguments(idl, instruction, args)         discriminator and arguments; ArgumentErrors, each with its path
    resolve_accounts(idl, instruction, …)            accounts by name, PDAs by their seeds; AccountErrors
    decode_event(idl, data)                          None: no event of this IDL; Unknown: one of them, and malformed
    decode_cpi_event, decode_instruction, decode_account

Decoding never raises for what the bytes say. Sources: https://www.anchor-lang.com/docs/basics/idl, https://borsh.io,
and `idl/spec/src/lib.rs` of https://github.com/coral-xyz/anchor.
"""

from chain.decode.idl.accounts import AccountUse, account_problems, resolve_accounts
from chain.decode.idl.decoding import DecodedData, decode_account, decode_cpi_event, decode_event, decode_instruction
from chain.decode.idl.encoding import argument_problems, encode_arguments
from chain.decode.idl.errors import AccountErrors, ArgumentErrors, IdlError, InvalidIdl, Problem, UnknownName
from chain.decode.idl.model import Idl, Instruction
from chain.decode.idl.parsing import parse_idl

__all__ = [
    "AccountErrors",
    "AccountUse",
    "ArgumentErrors",
    "DecodedData",
    "Idl",
    "IdlError",
    "Instruction",
    "InvalidIdl",
    "Problem",
    "UnknownName",
    "account_problems",
    "argument_problems",
    "decode_account",
    "decode_cpi_event",
    "decode_event",
    "decode_instruction",
    "encode_arguments",
    "parse_idl",
    "resolve_accounts",
]
