"""Instructions of the system program."""

from __future__ import annotations

from chain.decode.base import Decoded, Instruction, Layout, Unknown, bincode_text, pubkey, read_variant, u32, u64

PROGRAM = "11111111111111111111111111111111"

# By the variant's number, a u32: solana-system-interface, SystemInstruction.
_LAYOUTS = {
    0: Layout("createAccount", ("source", "newAccount"), (("lamports", u64), ("space", u64), ("owner", pubkey))),
    1: Layout("assign", ("account",), (("owner", pubkey),)),
    2: Layout("transfer", ("source", "destination"), (("lamports", u64),)),
    3: Layout(
        "createAccountWithSeed",
        ("source", "newAccount"),
        (("base", pubkey), ("seed", bincode_text), ("lamports", u64), ("space", u64), ("owner", pubkey)),
    ),
    4: Layout("advanceNonce", ("nonceAccount", "recentBlockhashesSysvar", "nonceAuthority")),
    5: Layout(
        "withdrawFromNonce",
        ("nonceAccount", "destination", "recentBlockhashesSysvar", "rentSysvar", "nonceAuthority"),
        (("lamports", u64),),
    ),
    6: Layout(
        "initializeNonce", ("nonceAccount", "recentBlockhashesSysvar", "rentSysvar"), (("nonceAuthority", pubkey),)
    ),
    7: Layout("authorizeNonce", ("nonceAccount", "nonceAuthority"), (("newAuthorized", pubkey),)),
    8: Layout("allocate", ("account",), (("space", u64),)),
    9: Layout(
        "allocateWithSeed",
        ("account",),
        (("base", pubkey), ("seed", bincode_text), ("space", u64), ("owner", pubkey)),
    ),
    10: Layout("assignWithSeed", ("account",), (("base", pubkey), ("seed", bincode_text), ("owner", pubkey))),
    11: Layout(
        "transferWithSeed",
        ("source", "sourceBase", "destination"),
        (("lamports", u64), ("sourceSeed", bincode_text), ("sourceOwner", pubkey)),
    ),
    12: Layout("upgradeNonce", ("nonceAccount",)),
    # A second account pays; without one the account has been paid for already.
    13: Layout("createAccountAllowPrefund", ("newAccount",), (("lamports", u64), ("space", u64), ("owner", pubkey))),
}


def decode(instruction: Instruction) -> Decoded | Unknown:
    """A system instruction, amounts in lamports."""
    decoded = read_variant("system", u32, _LAYOUTS, instruction)
    if isinstance(decoded, Decoded) and decoded.name == "createAccountAllowPrefund" and decoded.values["lamports"]:
        if len(instruction.accounts) < 2:
            return Unknown(instruction.program_id, "too short")
        return Decoded(decoded.program, decoded.name, {**decoded.values, "source": instruction.accounts[1]})
    return decoded
