"""Every system instruction as solders writes it, and the associated token program's as its interface does."""

from __future__ import annotations

from typing import Any

import pytest
from solders import system_program as sp
from solders.pubkey import Pubkey

from chain.decode.base import Decoded, Instruction
from chain.decode.dispatch import decode

ATA = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
HASHES, RENT = "SysvarRecentB1ockHashes11111111111111111111", "SysvarRent111111111111111111111111111111111"


def key(number: int) -> Pubkey:
    return Pubkey.from_bytes(bytes([number] * 32))


A, B, C, D, E = (str(key(number)) for number in range(1, 6))
a, b, c, d, e = (key(number) for number in range(1, 6))
NONCE = {"nonceAccount": A}

WRITTEN: list[tuple[Any, str, dict[str, Any]]] = [
    (
        sp.create_account(sp.CreateAccountParams(from_pubkey=a, to_pubkey=b, lamports=5, space=6, owner=c)),
        "createAccount",
        {"source": A, "newAccount": B, "lamports": 5, "space": 6, "owner": C},
    ),
    (sp.assign(sp.AssignParams(pubkey=a, owner=b)), "assign", {"account": A, "owner": B}),
    (
        sp.transfer(sp.TransferParams(from_pubkey=a, to_pubkey=b, lamports=2**64 - 1)),
        "transfer",
        {"source": A, "destination": B, "lamports": 2**64 - 1},
    ),
    (
        sp.create_account_with_seed(
            sp.CreateAccountWithSeedParams(
                from_pubkey=a, to_pubkey=b, base=c, seed="Größe", lamports=5, space=6, owner=d
            )
        ),
        "createAccountWithSeed",
        {"source": A, "newAccount": B, "base": C, "seed": "Größe", "lamports": 5, "space": 6, "owner": D},
    ),
    (
        sp.advance_nonce_account(sp.AdvanceNonceAccountParams(nonce_pubkey=a, authorized_pubkey=b)),
        "advanceNonce",
        {**NONCE, "recentBlockhashesSysvar": HASHES, "nonceAuthority": B},
    ),
    (
        sp.withdraw_nonce_account(
            sp.WithdrawNonceAccountParams(nonce_pubkey=a, authorized_pubkey=b, to_pubkey=c, lamports=9)
        ),
        "withdrawFromNonce",
        {
            **NONCE,
            "destination": C,
            "recentBlockhashesSysvar": HASHES,
            "rentSysvar": RENT,
            "nonceAuthority": B,
            "lamports": 9,
        },
    ),
    (
        sp.initialize_nonce_account(sp.InitializeNonceAccountParams(nonce_pubkey=a, authority=b)),
        "initializeNonce",
        {**NONCE, "recentBlockhashesSysvar": HASHES, "rentSysvar": RENT, "nonceAuthority": B},
    ),
    (
        sp.authorize_nonce_account(
            sp.AuthorizeNonceAccountParams(nonce_pubkey=a, authorized_pubkey=b, new_authority=c)
        ),
        "authorizeNonce",
        {**NONCE, "nonceAuthority": B, "newAuthorized": C},
    ),
    (sp.allocate(sp.AllocateParams(pubkey=a, space=7)), "allocate", {"account": A, "space": 7}),
    (
        sp.allocate_with_seed(sp.AllocateWithSeedParams(address=a, base=b, seed="", space=7, owner=c)),
        "allocateWithSeed",
        {"account": A, "base": B, "seed": "", "space": 7, "owner": C},
    ),
    (
        sp.assign_with_seed(sp.AssignWithSeedParams(address=a, base=b, seed="s", owner=c)),
        "assignWithSeed",
        {"account": A, "base": B, "seed": "s", "owner": C},
    ),
    (
        sp.transfer_with_seed(
            sp.TransferWithSeedParams(from_pubkey=a, from_base=b, from_seed="s", from_owner=c, to_pubkey=d, lamports=3)
        ),
        "transferWithSeed",
        {"source": A, "sourceBase": B, "destination": D, "lamports": 3, "sourceSeed": "s", "sourceOwner": C},
    ),
    (sp.upgrade_nonce_account(sp.UpgradeNonceAccountParams(nonce_pubkey=a)), "upgradeNonce", NONCE),
    (
        sp.create_account_allow_prefund(
            sp.CreateAccountAllowPrefundParams(new_account=a, payer=b, lamports=4, space=5, owner=c)
        ),
        "createAccountAllowPrefund",
        {"newAccount": A, "source": B, "lamports": 4, "space": 5, "owner": C},
    ),
    (
        sp.create_account_allow_prefund(
            sp.CreateAccountAllowPrefundParams(new_account=a, payer=None, lamports=0, space=5, owner=c)
        ),
        "createAccountAllowPrefund",
        {"newAccount": A, "lamports": 0, "space": 5, "owner": C},
    ),
]


@pytest.mark.parametrize(
    ("written", "name", "values"), WRITTEN, ids=[f"{n}-{i}" for i, (_, n, _) in enumerate(WRITTEN)]
)
def test_a_system_instruction_is_told_as_it_was_written(written: Any, name: str, values: dict[str, Any]) -> None:
    accounts = tuple(str(meta.pubkey) for meta in written.accounts)

    found = decode(Instruction(str(written.program_id), accounts, bytes(written.data)))

    assert isinstance(found, Decoded), found
    assert (found.type, found.values) == (f"system.{name}", values)


@pytest.mark.parametrize(
    ("data", "accounts", "name", "values"),
    [
        (b"", (A, B, C, D, sp.ID, E), "create", {"payer": A, "account": B, "wallet": C, "mint": D}),
        (b"\0", (A, B, C, D, sp.ID, E, RENT), "create", {"payer": A, "account": B, "wallet": C, "mint": D}),
        (b"\1", (A, B, C, D, sp.ID, E), "createIdempotent", {"payer": A, "tokenProgram": E}),
        (
            b"\2",
            (A, B, C, D, E, A, B),
            "recoverNested",
            {
                "nestedSource": A,
                "nestedMint": B,
                "destination": C,
                "nestedOwner": D,
                "ownerMint": E,
                "wallet": A,
                "tokenProgram": B,
            },
        ),
    ],
)
def test_an_associated_account_is_created_or_recovered(
    data: bytes, accounts: tuple[Any, ...], name: str, values: dict[str, Any]
) -> None:
    found = decode(Instruction(ATA, tuple(map(str, accounts)), data))

    assert isinstance(found, Decoded), found
    assert found.type == f"ata.{name}"
    assert {one: found.values[one] for one in values} == values
