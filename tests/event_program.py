"""A program for the local chain that emits events as Anchor's `emit!` and `emit_cpi!` do: by log, and by self-call.

No compiler for on-chain programs is needed: it is assembled here, about forty instructions, into the smallest ELF that
Solana's loader takes. Its instruction data are one byte of ways (LOG, CALL, SAY_MORE), then the tag of Anchor's
self-calls, then the event:

    SAY_MORE    log what is no event again and again, so that the log is cut
    LOG         sol_log_data(event)
    CALL        call itself with tag and event, and no account; called so, it does nothing

Sources: `elf.rs` and `ebpf.rs` of https://github.com/anza-xyz/sbpf, and for the input
https://solana.com/docs/programs/faq#input-parameter-serialization.
"""

from __future__ import annotations

import base64
import struct

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chain.decode.idl.decoding import CPI_EVENT_TAG
from tests.local_chain import LocalChain
from tests.watching import new_address

LOG, CALL, SAY_MORE = 1, 2, 4
TIMES_MORE = 400

_LOADER = "BPFLoader2111111111111111111111111111111111"
_R0, _R1, _R2, _R3, _R4, _R5, _R6, _R7, _R8, _R9, _FRAME = range(11)
# Offsets in the serialized input, whose one account is the program itself.
_PROGRAM_ID, _DATA_LENGTH, _ACCOUNT_DATA = 16, 88, 96
_GROWTH = 10_240


def deploy(chain: LocalChain) -> str:
    """Put the program on the chain; answers its address."""
    address = new_address()
    elf = base64.b64encode(program_elf()).decode()
    chain.set_account(address, lamports=10**9, owner=_LOADER, data=elf, executable=True)
    chain.warp(1)
    return address


def emitting(program: str, ways: int, event: bytes) -> Instruction:
    """Let the program emit these bytes, discriminator and all."""
    key = Pubkey.from_string(program)
    data = bytes([ways]) + CPI_EVENT_TAG + event
    return Instruction(key, data, [AccountMeta(key, is_signer=False, is_writable=False)])


def _op(code: int, dst: int = 0, src: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("<BBhi", code, dst | src << 4, offset, value)


_MOVE, _MOVE_VALUE, _ADD, _ADD_VALUE, _AND_VALUE = 0xBF, 0xB7, 0x0F, 0x07, 0x57
_LOAD, _LOAD_BYTE, _STORE, _STORE_VALUE = 0x79, 0x71, 0x7B, 0x7A
_IF_VALUE, _IF_NOT_VALUE, _IF_BITS, _GO, _CALL, _EXIT = 0x15, 0x55, 0x45, 0x05, 0x85, 0x95


def _text() -> tuple[bytes, list[tuple[int, str]]]:
    """The instructions, and which of them call which function of the runtime."""
    log_event = [
        _op(_MOVE, _R1, _FRAME),
        _op(_ADD_VALUE, _R1, value=-16),
        _op(_MOVE_VALUE, _R2, value=1),
        _op(_CALL, src=0, value=-1),
    ]
    head = [
        _op(_LOAD, _R3, _R1),  # how many accounts
        _op(_IF_VALUE, _R3),  # none: to the end, see below
        _op(_MOVE, _R6, _R1),
        _op(_LOAD, _R2, _R1, _DATA_LENGTH),
        _op(_ADD, _R1, _R2),
        _op(_ADD_VALUE, _R1, value=_ACCOUNT_DATA + _GROWTH + 7),
        _op(_AND_VALUE, _R1, value=-8),
        _op(_LOAD, _R8, _R1, 8),  # length of the instruction data, after the rent epoch
        _op(_ADD_VALUE, _R1, value=16),
        _op(_MOVE, _R7, _R1),  # the instruction data
        _op(_LOAD_BYTE, _R9, _R7),  # ways
        _op(_ADD_VALUE, _R7, value=1),
        _op(_ADD_VALUE, _R8, value=-1),
        # (address, length) of what is logged: the tag
        _op(_STORE, _FRAME, _R7, -16),
        _op(_STORE_VALUE, _FRAME, offset=-8, value=8),
    ]
    the_event = [
        _op(_MOVE, _R1, _R7),
        _op(_ADD_VALUE, _R1, value=8),
        _op(_STORE, _FRAME, _R1, -16),
        _op(_MOVE, _R1, _R8),
        _op(_ADD_VALUE, _R1, value=-8),
        _op(_STORE, _FRAME, _R1, -8),
    ]
    more = [
        _op(_IF_BITS, _R9, offset=1, value=SAY_MORE),
        _op(_GO, offset=len(log_event) + 4),
        _op(_STORE_VALUE, _FRAME, offset=-24, value=TIMES_MORE),
        *log_event,
        _op(_LOAD, _R1, _FRAME, -24),
        _op(_ADD_VALUE, _R1, value=-1),
        _op(_STORE, _FRAME, _R1, -24),
    ]
    more.append(_op(_IF_NOT_VALUE, _R1, offset=-(len(log_event) + 4), value=0))
    more[1] = _op(_GO, offset=len(more) - 2)
    log = [_op(_IF_BITS, _R9, offset=1, value=LOG), _op(_GO, offset=len(log_event)), *log_event]
    call = [
        _op(_IF_BITS, _R9, offset=1, value=CALL),
        _op(_GO, offset=0),
        # the instruction: program, accounts, their number, data, their length
        _op(_MOVE, _R1, _R6),
        _op(_ADD_VALUE, _R1, value=_PROGRAM_ID),
        _op(_STORE, _FRAME, _R1, -64),
        _op(_STORE_VALUE, _FRAME, offset=-56),
        _op(_STORE_VALUE, _FRAME, offset=-48),
        _op(_STORE, _FRAME, _R7, -40),
        _op(_STORE, _FRAME, _R8, -32),
        _op(_MOVE, _R1, _FRAME),
        _op(_ADD_VALUE, _R1, value=-64),
        *(_op(_MOVE_VALUE, register) for register in (_R2, _R3, _R4, _R5)),
        _op(_CALL, src=0, value=-1),
    ]
    call[1] = _op(_GO, offset=len(call) - 2)
    end = [_op(_MOVE_VALUE, _R0), _op(_EXIT)]
    body = [*head, *more, *the_event, *log, *call, *end]
    body[1] = _op(_IF_VALUE, _R3, offset=len(body) - len(end) - 2)
    calls = [place for place, one in enumerate(body) if one[0] == _CALL]
    names = ["sol_log_data", "sol_log_data", "sol_invoke_signed_c"]
    return b"".join(body), list(zip(calls, names, strict=True))


def program_elf() -> bytes:
    """The program as a shared object: .text, and what it takes to name the functions that it calls."""
    text, calls = _text()
    names = sorted({name for _, name in calls})
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in names)
    symbols = bytes(24) + b"".join(
        struct.pack("<IBBHQQ", strings.index(name.encode()), 0x10, 0, 0, 0, 0) for name in names
    )
    start = 64 + 3 * 56
    text_at = start
    symbols_at = text_at + len(text)
    relocations_at = symbols_at + len(symbols)
    relocations = b"".join(struct.pack("<QII", text_at + 8 * place, 10, names.index(name) + 1) for place, name in calls)
    dynamic_at = relocations_at + len(relocations)
    strings_at = dynamic_at + 6 * 16 + 16
    entries = [(17, relocations_at), (18, len(relocations)), (19, 16), (6, symbols_at), (11, 24), (5, strings_at)]
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in [*entries, (0, 0)])
    section_names = b"\0.text\0.dynsym\0.rel.dyn\0.dynamic\0.dynstr\0.shstrtab\0"
    names_at = strings_at + len(strings)
    sections_at = (names_at + len(section_names) + 7) // 8 * 8
    sections = [
        (b"", 0, 0, 0, 0, 0, 0, 0),
        (b".text", 1, 6, text_at, len(text), 0, 8, 0),
        (b".dynsym", 11, 2, symbols_at, len(symbols), 5, 8, 24),
        (b".rel.dyn", 9, 2, relocations_at, len(relocations), 2, 8, 16),
        (b".dynamic", 6, 2, dynamic_at, len(dynamic), 5, 8, 16),
        (b".dynstr", 3, 2, strings_at, len(strings), 0, 1, 0),
        (b".shstrtab", 3, 0, names_at, len(section_names), 0, 1, 0),
    ]
    table = b"".join(
        struct.pack(
            "<IIQQQQIIQQ",
            section_names.index(name + b"\0") if name else 0,
            kind,
            flags,
            at if flags else 0,
            at,
            size,
            link,
            0,
            alignment,
            entry_size,
        )
        for name, kind, flags, at, size, link, alignment, entry_size in sections
    )
    segments = [
        (1, 5, text_at, len(text)),
        (1, 4, symbols_at, names_at - symbols_at),
        (2, 4, dynamic_at, len(dynamic)),
    ]
    headers = b"".join(
        struct.pack("<IIQQQQQQ", kind, flags, at, at, at, size, size, 8) for kind, flags, at, size in segments
    )
    ident = b"\x7fELF\2\1\1" + bytes(9)
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH", 3, 247, 1, text_at, 64, sections_at, 0, 64, 56, 3, 64, len(sections), len(sections) - 1
    )
    content = header + headers + text + symbols + relocations + dynamic + strings + section_names
    return content.ljust(sections_at, b"\0") + table
