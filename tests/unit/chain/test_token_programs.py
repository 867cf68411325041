"""Instructions that the real token programs execute, written by hand from their interfaces, and what they are told as.

The programs run in LiteSVM: an instruction that they take is one whose layout is right. What it did is in the accounts.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest
from solders import system_program
from solders.instruction import AccountMeta
from solders.instruction import Instruction as Sent
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction
from solders.transaction_metadata import TransactionMetadata

from chain.decode.base import Decoded, Instruction, Unknown
from chain.decode.dispatch import decode

LEGACY = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
EXTENDED = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
NOBODY = bytes(32)
U64 = struct.Struct("<Q").pack


def text(value: str) -> bytes:
    return struct.pack("<I", len(value.encode())) + value.encode()


class World:
    """A chain of its own with one payer, who is the authority over everything."""

    def __init__(self) -> None:
        self.svm = LiteSVM()
        self.payer = Keypair()
        self.svm.airdrop(self.payer.pubkey(), 10**12)
        self.me = str(self.payer.pubkey())
        self.logs: list[str] = []

    def run(self, *instructions: Sent, signers: tuple[Keypair, ...] = ()) -> None:
        self.svm.expire_blockhash()
        message = Message(list(instructions), self.payer.pubkey())
        done = self.svm.send_transaction(Transaction([self.payer, *signers], message, self.svm.latest_blockhash()))
        assert isinstance(done, TransactionMetadata), (done.err(), done.meta().logs())
        self.logs = done.logs()

    def account(self, size: int, owner: Pubkey) -> str:
        """A new account of so many bytes that the program owns."""
        made = Keypair()
        params = system_program.CreateAccountParams(
            from_pubkey=self.payer.pubkey(), to_pubkey=made.pubkey(), lamports=10**9, space=size, owner=owner
        )
        self.run(system_program.create_account(params), signers=(made,))
        return str(made.pubkey())

    def told(self, program: Pubkey, data: bytes, *accounts: str) -> Decoded:
        """Execute it, and say what it was."""
        metas = [AccountMeta(Pubkey.from_string(one), one == self.me, True) for one in accounts]
        self.run(Sent(program, data, metas))
        found = decode(Instruction(str(program), accounts, data))
        assert isinstance(found, Decoded), found
        return found

    def data(self, address: str) -> bytes:
        found = self.svm.get_account(Pubkey.from_string(address))
        assert found is not None
        return found.data

    def mint(self, program: Pubkey = EXTENDED, decimals: int = 2) -> str:
        address = self.account(82, program)
        self.told(program, bytes([20, decimals]) + self.key + b"\1" + self.key, address)
        return address

    def holder(self, mint: str, program: Pubkey = EXTENDED, size: int = 165) -> str:
        address = self.account(size, program)
        self.told(program, bytes([18]) + self.key, address, mint)
        return address

    @property
    def key(self) -> bytes:
        return bytes(self.payer.pubkey())


@pytest.fixture
def world() -> World:
    return World()


def amount(world: World, account: str) -> int:
    return int.from_bytes(world.data(account)[64:72], "little")


# Size of the mint, first two bytes and the rest, with what it is said to be. `ME` is the payer's key.
ME = b"<the payer's key>"
ON_MINTS: list[tuple[int, list[bytes], str, dict[str, Any]]] = [
    (202, [bytes([25]), b"\1", ME], "initializeMintCloseAuthority", {"newAuthority": ME}),
    (202, [bytes([25]), b"\0"], "initializeMintCloseAuthority", {"newAuthority": None}),
    (
        278,
        [bytes([26, 0]), b"\1", ME, b"\0", struct.pack("<HQ", 50, 7)],
        "initializeTransferFeeConfig",
        {
            "transferFeeConfigAuthority": ME,
            "withdrawWithheldAuthority": None,
            "transferFeeBasisPoints": 50,
            "maximumFee": 7,
        },
    ),
    (
        235,
        [bytes([27, 0]), ME, b"\1", NOBODY],
        "initializeConfidentialTransferMint",
        {"authority": ME, "autoApproveNewAccounts": True},
    ),
    (171, [bytes([28, 0, 2])], "initializeDefaultAccountState", {"accountState": "frozen"}),
    (170, [bytes([32])], "initializeNonTransferableMint", {}),
    (
        222,
        [bytes([33, 0]), ME, struct.pack("<h", -5)],
        "initializeInterestBearingConfig",
        {"rateAuthority": ME, "rate": -5},
    ),
    (202, [bytes([35]), ME], "initializePermanentDelegate", {"delegate": ME}),
    (234, [bytes([36, 0]), ME, NOBODY], "initializeTransferHook", {"authority": ME, "programId": None}),
    (234, [bytes([39, 0]), NOBODY, ME], "initializeMetadataPointer", {"authority": None, "metadataAddress": ME}),
    (234, [bytes([40, 0]), ME, ME], "initializeGroupPointer", {"authority": ME, "groupAddress": ME}),
    (234, [bytes([41, 0]), ME, ME], "initializeGroupMemberPointer", {"authority": ME, "memberAddress": ME}),
    (
        226,
        [bytes([43, 0]), ME, struct.pack("<d", 1.5)],
        "initializeScaledUiAmountConfig",
        {"authority": ME, "multiplier": "1.5"},
    ),
    (203, [bytes([44, 0]), ME], "initializePausableConfig", {"authority": ME}),
]


@pytest.mark.parametrize(("size", "parts", "name", "values"), ON_MINTS, ids=[one[2] for one in ON_MINTS])
def test_an_extension_of_a_mint_is_initialized(
    world: World, size: int, parts: list[bytes], name: str, values: dict[str, Any]
) -> None:
    mint = world.account(size, EXTENDED)

    found = world.told(EXTENDED, b"".join(world.key if part is ME else part for part in parts), mint)

    expected = {key: world.me if value is ME else value for key, value in values.items()}
    assert (found.type, found.values) == (f"spl-token-2022.{name}", {"mint": mint, **expected})
    # The mint is complete: the extension filled the rest of the account.
    world.told(EXTENDED, bytes([20, 0]) + world.key + b"\1" + world.key, mint)


def test_a_fee_is_set_charged_harvested_and_withdrawn(world: World) -> None:
    mint = world.account(278, EXTENDED)
    world.told(EXTENDED, bytes([26, 0, 1]) + world.key + b"\1" + world.key + struct.pack("<HQ", 100, 50), mint)
    world.told(EXTENDED, bytes([20, 2]) + world.key + b"\0", mint)
    source, destination, third = (world.holder(mint, size=178) for _ in range(3))
    world.told(EXTENDED, bytes([7]) + U64(1000), mint, source, world.me)

    paid = world.told(EXTENDED, bytes([26, 1]) + struct.pack("<QBQ", 1000, 2, 10), source, mint, destination, world.me)
    assert (amount(world, source), amount(world, destination)) == (0, 990)
    assert paid.values == {
        "source": source,
        "mint": mint,
        "destination": destination,
        "authority": world.me,
        "amount": 1000,
        "decimals": 2,
        "feeAmount": 10,
    }
    taken = world.told(EXTENDED, bytes([26, 3, 1]), mint, third, world.me, destination)
    assert amount(world, third) == 10
    assert taken.name == "withdrawWithheldTokensFromAccounts"
    assert (taken.values["feeRecipient"], taken.values["sourceAccounts"]) == (third, [destination])
    world.told(EXTENDED, bytes([26, 1]) + struct.pack("<QBQ", 500, 2, 5), destination, mint, source, world.me)
    harvested = world.told(EXTENDED, bytes([26, 4]), mint, source)
    assert (harvested.name, harvested.values) == (
        "harvestWithheldTokensToMint",
        {"mint": mint, "sourceAccounts": [source]},
    )
    withdrawn = world.told(EXTENDED, bytes([26, 2]), mint, third, world.me)
    assert (withdrawn.name, amount(world, third)) == ("withdrawWithheldTokensFromMint", 15)
    changed = world.told(EXTENDED, bytes([26, 5]) + struct.pack("<HQ", 20, 9), mint, world.me)
    assert (changed.name, changed.values["transferFeeBasisPoints"], changed.values["maximumFee"]) == (
        "setTransferFee",
        20,
        9,
    )


def test_an_account_asks_for_memos_and_guards_itself(world: World) -> None:
    account = world.holder(world.mint(), size=300)
    system = str(system_program.ID)

    grown = world.told(EXTENDED, bytes([29, 8, 0, 11, 0]), account, world.me, system, world.me)
    names = [world.told(EXTENDED, bytes(data), account, world.me).name for data in ([30, 0], [30, 1], [34, 0], [34, 1])]

    assert (grown.name, grown.values["payer"]) == ("reallocate", world.me)
    assert names == [
        "enableRequiredMemoTransfers",
        "disableRequiredMemoTransfers",
        "enableCpiGuard",
        "disableCpiGuard",
    ]


def test_rate_pause_state_and_hook_are_changed(world: World) -> None:
    mint = world.account(166 + 56 + 37 + 5 + 68, EXTENDED)
    world.told(EXTENDED, bytes([33, 0]) + world.key + struct.pack("<h", 1), mint)
    world.told(EXTENDED, bytes([44, 0]) + world.key, mint)
    world.told(EXTENDED, bytes([28, 0, 1]), mint)
    world.told(EXTENDED, bytes([36, 0]) + world.key + NOBODY, mint)
    world.told(EXTENDED, bytes([20, 0]) + world.key + b"\1" + world.key, mint)

    found = [
        world.told(EXTENDED, bytes([33, 1]) + struct.pack("<h", -7), mint, world.me),
        world.told(EXTENDED, bytes([44, 1]), mint, world.me),
        world.told(EXTENDED, bytes([44, 2]), mint, world.me),
        world.told(EXTENDED, bytes([28, 1, 2]), mint, world.me),
        world.told(EXTENDED, bytes([36, 1]) + world.key, mint, world.me),
    ]

    on_mint = {"mint": mint, "authority": world.me}
    assert [(one.name, one.values) for one in found] == [
        ("updateInterestBearingConfigRate", {"mint": mint, "rateAuthority": world.me, "newRate": -7}),
        ("pause", on_mint),
        ("resume", on_mint),
        ("updateDefaultAccountState", {"mint": mint, "freezeAuthority": world.me, "accountState": "frozen"}),
        ("updateTransferHook", {**on_mint, "programId": world.me}),
    ]


def test_a_multiplier_is_changed(world: World) -> None:
    mint = world.account(226, EXTENDED)
    world.told(EXTENDED, bytes([43, 0]) + world.key + struct.pack("<d", 1), mint)
    world.told(EXTENDED, bytes([20, 0]) + world.key + b"\0", mint)

    found = world.told(EXTENDED, bytes([43, 1]) + struct.pack("<dq", 0.25, 5), mint, world.me)

    assert (found.name, found.values["newMultiplier"], found.values["newMultiplierTimestamp"]) == (
        "updateMultiplier",
        "0.25",
        5,
    )


def test_metadata_in_a_mint_is_written_changed_and_removed(world: World) -> None:
    mint = world.account(234, EXTENDED)
    world.told(EXTENDED, bytes([39, 0]) + world.key + bytes(Pubkey.from_string(mint)), mint)
    world.told(EXTENDED, bytes([20, 0]) + world.key + b"\0", mint)
    update, remove = bytes.fromhex("dde9312db5cadcc8"), bytes.fromhex("ea122038598d25b5")

    made = world.told(
        EXTENDED,
        bytes.fromhex("d2e11ea258b84d8d") + text("Name\0") + text("Ü") + text("https://x"),
        *(mint, world.me, mint, world.me),
    )
    changed = world.told(EXTENDED, update + b"\2" + text("https://y"), mint, world.me)
    added = world.told(EXTENDED, update + b"\3" + text("level") + text("9"), mint, world.me)
    removed = world.told(EXTENDED, remove + b"\1" + text("level"), mint, world.me)
    shown = world.told(EXTENDED, bytes.fromhex("faa6b4fa0d0cb846") + b"\0\1" + U64(64), mint)
    given = world.told(EXTENDED, bytes.fromhex("d7e4a6e45464567b") + NOBODY, mint, world.me)

    assert (made.values["name"], made.values["symbol"], made.values["uri"]) == ("Name\0", "Ü", "https://x")
    assert (changed.values["field"], changed.values["value"]) == ("uri", "https://y")
    assert (added.values["field"], added.values["value"]) == ("level", "9")
    assert (removed.values["key"], removed.values["idempotent"]) == ("level", True)
    assert (shown.values["start"], shown.values["end"]) == (None, 64)
    assert given.values["newAuthority"] is None
    assert [one.name for one in (made, changed, added, removed, shown, given)] == [
        "initializeTokenMetadata",
        "updateTokenMetadataField",
        "updateTokenMetadataField",
        "removeTokenMetadataKey",
        "emitTokenMetadata",
        "updateTokenMetadataAuthority",
    ]


def test_a_group_takes_a_member(world: World) -> None:
    group, member = (world.account(234, EXTENDED) for _ in range(2))
    for mint, kind in ((group, 40), (member, 41)):
        world.told(EXTENDED, bytes([kind, 0]) + world.key + bytes(Pubkey.from_string(mint)), mint)
        world.told(EXTENDED, bytes([20, 0]) + world.key + b"\0", mint)

    made = world.told(EXTENDED, bytes.fromhex("79716c2736330004") + world.key + U64(3), group, group, world.me)
    joined = world.told(EXTENDED, bytes.fromhex("9820deb0dfed7486"), member, member, world.me, group, world.me)
    grown = world.told(EXTENDED, bytes.fromhex("6c25ab8ff81e126e") + U64(5), group, world.me)
    left = world.told(EXTENDED, bytes.fromhex("a1695801edddd8cb") + NOBODY, group, world.me)

    assert (made.name, made.values["maxSize"], made.values["updateAuthority"]) == ("initializeTokenGroup", 3, world.me)
    assert (joined.name, joined.values["member"], joined.values["group"]) == (
        "initializeTokenGroupMember",
        member,
        group,
    )
    assert (grown.name, grown.values["maxSize"]) == ("updateTokenGroupMaxSize", 5)
    assert (left.name, left.values["newAuthority"]) == ("updateTokenGroupAuthority", None)


@pytest.mark.parametrize("program", [LEGACY, EXTENDED], ids=["legacy", "2022"])
def test_a_multisig_signs_a_transfer(world: World, program: Pubkey) -> None:
    mint, multisig, other = world.mint(program), world.account(355, program), str(Keypair().pubkey())
    source, destination = world.holder(mint, program), world.holder(mint, program)
    made = world.told(program, bytes([19, 1]), multisig, world.me, other)
    world.told(program, bytes([7]) + U64(9), mint, source, world.me)
    given = world.told(program, bytes([6, 2, 1]) + bytes(Pubkey.from_string(multisig)), source, world.me)

    moved = world.told(program, bytes([12]) + U64(4) + b"\2", source, mint, destination, multisig, world.me)

    assert amount(world, destination) == 4
    assert made.values == {"multisig": multisig, "m": 1, "signers": [world.me, other]}
    assert given.values == {
        "account": source,
        "authority": world.me,
        "authorityType": "accountOwner",
        "newAuthority": multisig,
    }
    assert moved.values["authority"] == multisig


def test_a_batch_does_one_after_the_other(world: World) -> None:
    mint = world.mint(LEGACY)
    source, destination = world.holder(mint, LEGACY), world.holder(mint, LEGACY)
    mint_to, transfer = bytes([7]) + U64(9), bytes([3]) + U64(4)
    data = b"\xff" + bytes([3, len(mint_to)]) + mint_to + bytes([3, len(transfer)]) + transfer

    found = world.told(LEGACY, data, mint, source, world.me, source, destination, world.me)

    assert amount(world, destination) == 4
    assert (found.type, found.values) == (
        "spl-token.batch",
        {
            "instructions": [
                {
                    "type": "spl-token.mintTo",
                    "values": {"mint": mint, "account": source, "mintAuthority": world.me, "amount": 9},
                },
                {
                    "type": "spl-token.transfer",
                    "values": {"source": source, "destination": destination, "authority": world.me, "amount": 4},
                },
            ]
        },
    )


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\x03",
        b"\xff\x03\x09" + bytes([7]) + U64(9)[:-1],
        b"\xff\x09\x09" + bytes([7]) + U64(9),
        b"\xff\x00\x02\xff\x00",
        b"\xff\x03\x01\xfe",
    ],
)
def test_a_batch_that_cannot_be_is_unknown(data: bytes) -> None:
    accounts = tuple(str(Pubkey.from_bytes(bytes([number] * 32))) for number in range(1, 5))

    assert isinstance(decode(Instruction(str(LEGACY), accounts, data)), Unknown)


@pytest.mark.parametrize(
    ("program", "data"),
    [
        (LEGACY, bytes([6, 0, 2]) + bytes(32)),
        (LEGACY, bytes([20, 0]) + bytes(32) + b"\x05" + bytes(32)),
        (EXTENDED, bytes([28, 0, 3])),
        (EXTENDED, bytes([27, 0]) + bytes(32) + b"\x02" + bytes(32)),
        (EXTENDED, bytes.fromhex("d2e11ea258b84d8d") + struct.pack("<I", 1) + b"\xff"),
        (EXTENDED, bytes.fromhex("dde9312db5cadcc8") + b"\x09" + text("a") + text("b")),
        (EXTENDED, bytes([26, 3, 9])),
        (system_program.ID, struct.pack("<I", 9) + bytes(32) + U64(1) + b"\xff" + bytes(40)),
    ],
)
def test_what_the_chain_would_refuse_is_not_said_to_be_anything(program: Pubkey, data: bytes) -> None:
    accounts = tuple(str(Pubkey.from_bytes(bytes([number] * 32))) for number in range(1, 5))

    assert isinstance(decode(Instruction(str(program), accounts, data)), Unknown)


def test_an_authority_of_a_kind_that_is_new_is_over_something() -> None:
    accounts = tuple(str(Pubkey.from_bytes(bytes([number] * 32))) for number in (1, 2))

    found = decode(Instruction(str(EXTENDED), accounts, bytes([6, 99, 0])))

    assert isinstance(found, Decoded)
    assert (found.values["authorityType"], found.values["owned"]) == (99, accounts[0])
