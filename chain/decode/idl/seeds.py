"""Program-derived addresses from the seeds that an IDL names: constants, arguments, accounts and their data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from solders.pubkey import Pubkey

from chain.decode.base import Unknown
from chain.decode.idl import scalars
from chain.decode.idl.decoding import decode_account
from chain.decode.idl.definitions import Definitions
from chain.decode.idl.encoding import Encoder
from chain.decode.idl.model import AccountSeed, ArgSeed, ConstSeed, Idl, Instruction, Pda, Seed
from chain.decode.idl.names import find
from chain.decode.idl.scalars import Unfit
from chain.decode.idl.types import U8, Array, Defined, Plain, Struct, Type, Vec

MAX_SEEDS = 15  # the sixteenth is the bump
MAX_SEED_BYTES = 32

# Token accounts are in no IDL of the programs that use them. Both token programs begin them like this.
_TOKEN_ACCOUNT = "tokenaccount"  # noqa: S105
_TOKEN_ACCOUNT_KEYS = {"mint": 0, "owner": 32}

# The address of another account of the instruction by its path, with the part of the path below that account.
FindAccount = Callable[[tuple[str, ...]], tuple[str, tuple[str, ...]]]
ReadAccount = Callable[[str], bytes | None]


class NotDerivable(Exception):
    """Why an address cannot be derived, in words. Stays inside the codec."""


def derive(
    idl: Idl,
    instruction: Instruction,
    pda: Pda,
    args: Mapping[str, Any],
    find_account: FindAccount,
    read_account: ReadAccount,
) -> str:
    """The address. Raises NotDerivable."""
    deriving = _Deriving(idl, instruction, args, find_account, read_account)
    seeds = [deriving.seed(one) for one in pda.seeds]
    if len(seeds) > MAX_SEEDS or any(len(one) > MAX_SEED_BYTES for one in seeds):
        raise NotDerivable(f"at most {MAX_SEEDS} seeds of at most {MAX_SEED_BYTES} bytes derive an address")
    program = bytes(Pubkey.from_string(idl.program_id)) if pda.program is None else deriving.seed(pda.program)
    if len(program) != scalars.PUBKEY_BYTES:
        raise NotDerivable("the program that derives it has no address of 32 bytes")
    address, _ = Pubkey.find_program_address(seeds, Pubkey.from_bytes(program))
    return str(address)


class _Deriving:
    """The seeds of one call as bytes."""

    def __init__(
        self,
        idl: Idl,
        instruction: Instruction,
        args: Mapping[str, Any],
        find_account: FindAccount,
        read_account: ReadAccount,
    ) -> None:
        self._idl = idl
        self._arguments = Struct(instruction.arguments)
        self._args = args
        self._find_account = find_account
        self._read_account = read_account

    def seed(self, seed: Seed) -> bytes:
        match seed:
            case ConstSeed(value):
                return value
            case ArgSeed(path):
                kind, value = _follow(self._idl.types, self._arguments, self._args, path)
                return _seed_bytes(self._idl.types, kind, value, ".".join(path))
            case AccountSeed(path, data_type):
                return self._account_seed(path, data_type)
            case _:
                raise NotDerivable(f"{seed.text} cannot be derived from an IDL")

    def _account_seed(self, path: tuple[str, ...], data_type: str | None) -> bytes:
        address, below = self._find_account(path)
        if not below:
            return bytes(Pubkey.from_string(address))
        data = self._read_account(address)
        if data is None:
            raise NotDerivable(f"its seed {'.'.join(path)} is in the account {address}, which does not exist")
        if data_type is not None and data_type not in self._idl.types and data_type.lower() == _TOKEN_ACCOUNT:
            return _token_account_key(data, below)
        decoded = decode_account(self._idl, data)
        if decoded is None or isinstance(decoded, Unknown):
            raise NotDerivable(f"its seed {'.'.join(path)} is in {address}, whose data is no account of this IDL")
        body = self._idl.types.body(Defined(decoded.name))
        if not isinstance(body, Struct):
            raise NotDerivable(f"its seed {'.'.join(path)} leads into {decoded.name}, which has no fields")
        kind, value = _follow(self._idl.types, body, decoded.values, below)
        return _seed_bytes(self._idl.types, kind, value, ".".join(path))


def _follow(types: Definitions, body: Struct, values: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Type, Any]:
    """The type and the value at a path into a struct."""
    where = ".".join(path)
    fields = {field.name: field.type for field in body.fields.items}
    kind, value = find(path[0], fields), find(path[0], values)
    if kind is None or value is None:
        raise NotDerivable(f"its seed {where} has no value")
    kind = types.unaliased(kind)
    if len(path) == 1:
        return kind, value
    below = types.body(kind) if isinstance(kind, Defined) else None
    if isinstance(below, Struct) and isinstance(value, Mapping):
        return _follow(types, below, value, path[1:])
    raise NotDerivable(f"its seed {where} leads into something without such a field")


def _seed_bytes(types: Definitions, kind: Type, value: Any, where: str) -> bytes:
    """As programs take them: texts and bytes without their length, all else as Borsh writes it."""
    try:
        match kind:
            case Plain.STRING:
                return scalars.text_to_bytes(value)
            case Plain.BYTES:
                return scalars.raw_to_bytes(value)
            case Vec(item) if item == U8:
                return scalars.raw_to_bytes(value)
            case Array(item, int()) if item == U8:
                return scalars.raw_to_bytes(value)
            case _:
                encoder = Encoder(types)
                written = encoder.value(kind, value, where)
    except Unfit as error:
        raise NotDerivable(f"its seed {where} {error}") from error
    if encoder.problems:
        raise NotDerivable(f"its seed {encoder.problems[0]}")
    return written


def _token_account_key(data: bytes, below: tuple[str, ...]) -> bytes:
    start = _TOKEN_ACCOUNT_KEYS.get(below[0]) if len(below) == 1 else None
    if start is None or len(data) < start + scalars.PUBKEY_BYTES:
        raise NotDerivable(f"its seed {'.'.join(below)} is no field of a token account that is known here")
    return data[start : start + scalars.PUBKEY_BYTES]
