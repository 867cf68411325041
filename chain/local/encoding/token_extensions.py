"""Extensions of Token-2022 mints and accounts in jsonParsed form: `[{"extension": name, "state": {...}}]`.

An extension is a type, a length and a fixed layout (but for `tokenMetadata`, which is Borsh). The layouts are data
below: field name, kind. Confidential transfers stay `unparseableExtension`, as any type unknown here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from solders.pubkey import Pubkey

from chain.local.encoding.token_state import EXTENSIONS_OFFSET

_Reader = Callable[[bytes], Any]
_STATES = ("uninitialized", "initialized", "frozen")


def _optional_key(raw: bytes) -> str | None:
    return str(Pubkey(raw)) if any(raw) else None


def _key(raw: bytes) -> str:
    return str(Pubkey(raw))


def _unsigned(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


def _state(raw: bytes) -> str:
    return _STATES[raw[0]] if raw[0] < len(_STATES) else "uninitialized"


def _boolean(raw: bytes) -> bool:
    return bool(raw[0])


_Field = tuple[str, int, _Reader]
_OPTIONAL_KEY: tuple[int, _Reader] = (32, _optional_key)
_KEY: tuple[int, _Reader] = (32, _key)
_U64: tuple[int, _Reader] = (8, _unsigned)
_U16: tuple[int, _Reader] = (2, _unsigned)
_I64: tuple[int, _Reader] = (8, _signed)
_I16: tuple[int, _Reader] = (2, _signed)
_BOOL: tuple[int, _Reader] = (1, _boolean)
_FEE: tuple[int, _Reader] = (
    18,
    lambda raw: {
        "epoch": _unsigned(raw[:8]),
        "maximumFee": _unsigned(raw[8:16]),
        "transferFeeBasisPoints": _unsigned(raw[16:]),
    },
)


def _layout(**fields: tuple[int, _Reader]) -> list[_Field]:
    return [(name, size, read) for name, (size, read) in fields.items()]


_LAYOUTS: dict[int, tuple[str, list[_Field]]] = {
    1: (
        "transferFeeConfig",
        _layout(
            transferFeeConfigAuthority=_OPTIONAL_KEY,
            withdrawWithheldAuthority=_OPTIONAL_KEY,
            withheldAmount=_U64,
            olderTransferFee=_FEE,
            newerTransferFee=_FEE,
        ),
    ),
    2: ("transferFeeAmount", _layout(withheldAmount=_U64)),
    3: ("mintCloseAuthority", _layout(closeAuthority=_OPTIONAL_KEY)),
    6: ("defaultAccountState", _layout(accountState=(1, _state))),
    7: ("immutableOwner", []),
    8: ("memoTransfer", _layout(requireIncomingTransferMemos=_BOOL)),
    9: ("nonTransferable", []),
    10: (
        "interestBearingConfig",
        _layout(
            rateAuthority=_OPTIONAL_KEY,
            initializationTimestamp=_I64,
            preUpdateAverageRate=_I16,
            lastUpdateTimestamp=_I64,
            currentRate=_I16,
        ),
    ),
    11: ("cpiGuard", _layout(lockCpi=_BOOL)),
    12: ("permanentDelegate", _layout(delegate=_OPTIONAL_KEY)),
    13: ("nonTransferableAccount", []),
    14: ("transferHook", _layout(authority=_OPTIONAL_KEY, programId=_OPTIONAL_KEY)),
    15: ("transferHookAccount", _layout(transferring=_BOOL)),
    18: ("metadataPointer", _layout(authority=_OPTIONAL_KEY, metadataAddress=_OPTIONAL_KEY)),
    20: ("groupPointer", _layout(authority=_OPTIONAL_KEY, groupAddress=_OPTIONAL_KEY)),
    21: ("tokenGroup", _layout(updateAuthority=_OPTIONAL_KEY, mint=_KEY, size=_U64, maxSize=_U64)),
    22: ("groupMemberPointer", _layout(authority=_OPTIONAL_KEY, memberAddress=_OPTIONAL_KEY)),
    23: ("tokenGroupMember", _layout(mint=_KEY, group=_KEY, memberNumber=_U64)),
    26: ("pausableConfig", _layout(authority=_OPTIONAL_KEY, paused=_BOOL)),
    27: ("pausableAccount", []),
}
_TOKEN_METADATA = 19
_TOKEN_METADATA_MIN_SIZE = 80


def extension_name(kind: int) -> str:
    """The wire's name of an extension type."""
    if kind == _TOKEN_METADATA:
        return "tokenMetadata"
    return _LAYOUTS.get(kind, ("unparseableExtension", []))[0]


def parse_extensions(data: bytes) -> list[dict[str, Any]]:
    """The extensions of an account or mint with this data, in their order; empty where it has none."""
    return [_parse(kind, value) for kind, value in _entries(data)]


def _entries(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = EXTENSIONS_OFFSET
    while offset + 4 <= len(data):
        kind, size = _unsigned(data[offset : offset + 2]), _unsigned(data[offset + 2 : offset + 4])
        if kind == 0:
            return
        yield kind, data[offset + 4 : offset + 4 + size]
        offset += 4 + size


def _parse(kind: int, value: bytes) -> dict[str, Any]:
    if kind == _TOKEN_METADATA:
        state = _token_metadata(value)
        return {"extension": "tokenMetadata", "state": state} if state else {"extension": "unparseableExtension"}
    name, fields = _LAYOUTS.get(kind, ("unparseableExtension", []))
    if len(value) < sum(size for _, size, _ in fields):
        return {"extension": "unparseableExtension"}
    state = {}
    offset = 0
    for field, size, read in fields:
        state[field] = read(value[offset : offset + size])
        offset += size
    return {"extension": name, "state": state} if fields else {"extension": name}


def _token_metadata(value: bytes) -> dict[str, Any] | None:
    """Borsh: update authority, mint, then strings; None where the bytes end early."""
    if len(value) < _TOKEN_METADATA_MIN_SIZE:
        return None
    texts: list[str] = []
    offset = 64
    while len(texts) < 3:
        text, offset = _text(value, offset)
        texts.append(text)
    pairs = _unsigned(value[offset : offset + 4])
    offset += 4
    additional = []
    for _ in range(pairs):
        name, offset = _text(value, offset)
        content, offset = _text(value, offset)
        additional.append([name, content])
        if offset > len(value):
            return None
    if offset > len(value):
        return None
    return {
        "updateAuthority": _optional_key(value[:32]),
        "mint": _key(value[32:64]),
        "name": texts[0],
        "symbol": texts[1],
        "uri": texts[2],
        "additionalMetadata": additional,
    }


def _text(value: bytes, offset: int) -> tuple[str, int]:
    size = _unsigned(value[offset : offset + 4])
    return value[offset + 4 : offset + 4 + size].decode(errors="replace"), offset + 4 + size
