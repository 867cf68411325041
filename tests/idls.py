"""IDLs of Solana's own programs, written by hand in the new format: their short discriminators are the programs' tags.

None of them is an Anchor program; an IDL describes them all the same.
"""

from __future__ import annotations

from typing import Any

from solders.pubkey import Pubkey

from chain.tx.instructions import TOKEN_PROGRAM

SYSTEM_PROGRAM = "11111111111111111111111111111111"
ASSOCIATED_TOKEN_PROGRAM = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"

SYSTEM: dict[str, Any] = {
    "address": SYSTEM_PROGRAM,
    "metadata": {"name": "system", "version": "1.0.0", "spec": "0.1.0"},
    "instructions": [
        {
            "name": "transfer",
            "discriminator": [2, 0, 0, 0],
            "accounts": [{"name": "from", "signer": True, "writable": True}, {"name": "to", "writable": True}],
            "args": [{"name": "lamports", "type": "u64"}],
        }
    ],
}

TOKEN: dict[str, Any] = {
    "address": TOKEN_PROGRAM,
    "metadata": {"name": "token", "version": "1.0.0", "spec": "0.1.0"},
    "instructions": [
        {
            "name": "transfer",
            "discriminator": [3],
            "accounts": [
                {"name": "source", "writable": True},
                {"name": "destination", "writable": True},
                {"name": "owner", "signer": True},
            ],
            "args": [{"name": "amount", "type": "u64"}],
        }
    ],
    "errors": [{"code": 1, "name": "NotEnough", "msg": "The account has not enough tokens"}],
}

ASSOCIATED_TOKEN: dict[str, Any] = {
    "address": ASSOCIATED_TOKEN_PROGRAM,
    "metadata": {"name": "associated_token", "version": "1.0.0", "spec": "0.1.0"},
    "instructions": [
        {
            "name": "create_idempotent",
            "discriminator": [1],
            "accounts": [
                {"name": "payer", "signer": True, "writable": True},
                {
                    "name": "associated_token",
                    "writable": True,
                    "pda": {
                        "seeds": [
                            {"kind": "account", "path": "wallet"},
                            {"kind": "account", "path": "token_program"},
                            {"kind": "account", "path": "mint"},
                        ],
                        "program": {
                            "kind": "const",
                            "value": list(bytes(Pubkey.from_string(ASSOCIATED_TOKEN_PROGRAM))),
                        },
                    },
                },
                {"name": "wallet"},
                {"name": "mint"},
                {"name": "system_program"},
                {"name": "token_program"},
            ],
            "args": [],
        }
    ],
}
