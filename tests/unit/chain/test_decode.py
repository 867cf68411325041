import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders import system_program
from solders.pubkey import Pubkey
from spl.token import instructions as spl_token
from spl.token import models

from chain.decode import compute_budget, dispatch
from chain.decode.base import Decoded, Instruction, Unknown
from chain.decode.dispatch import DECODERS, decode
from chain.decode.transaction import read_transaction

TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
OURS = ("system.", "spl-token.", "spl-token-2022.", "ata.", "memo")
# The recordings name two system instructions by number, and give what the node's parser adds by hand.
SPELT = {"system.1": "system.assign", "system.8": "system.allocate"}
NOT_OURS = {"type", "instruction", "inner", "extensionTypes"}


def key(number: int) -> Pubkey:
    return Pubkey.from_bytes(bytes([number] * 32))


def from_solders(instruction: Any) -> Instruction:
    return Instruction(
        str(instruction.program_id), tuple(str(meta.pubkey) for meta in instruction.accounts), bytes(instruction.data)
    )


def instructions_of(transaction: dict[str, Any]) -> tuple[Instruction, ...]:
    return read_transaction(transaction, with_instructions=True).instructions


def plain(value: Any) -> Any:
    return str(value) if isinstance(value, int) or value is None else value


def expected_values(action: dict[str, Any]) -> dict[str, Any]:
    values = {name: plain(value) for name, value in action.items() if name not in NOT_OURS}
    if "tokenAmount" in values:
        amount = values.pop("tokenAmount")
        values |= {"amount": amount["amount"], "decimals": str(amount["decimals"])}
    if action["type"].startswith("ata.") and "source" in values:
        values["payer"] = values.pop("source")
    return values


def assert_agrees(decoded: Decoded | Unknown, action: dict[str, Any]) -> None:
    assert isinstance(decoded, Decoded), (decoded, action)
    assert decoded.type == SPELT.get(action["type"], action["type"])
    shown = {name: plain(value) for name, value in decoded.values.items()}
    assert {name: shown.get(name) for name in expected_values(action)} == expected_values(action)


def test_recorded_native_instructions_are_decoded(recording: Any) -> None:
    if any(not isinstance(k, str) for k in recording.transaction["transaction"]["message"]["accountKeys"]):
        pytest.skip("jsonParsed carries no data of the instructions that the node has parsed; see the re-encoding test")
    actions = {(a["instruction"], a["inner"]): a for a in recording.expected["nativeActions"]}
    actions = {place: action for place, action in actions.items() if action["type"].startswith(OURS)}
    seen = {(i.index, i.inner): decode(i) for i in instructions_of(recording.transaction)}
    told = {place for place, what in seen.items() if isinstance(what, Decoded) and what.type.startswith(OURS)}
    assert told == set(actions)
    for place, action in actions.items():
        assert_agrees(seen[place], action)


def test_recorded_fees_are_what_the_compute_budget_says(recording: Any) -> None:
    transaction = recording.transaction
    decoded = [decode(i) for i in instructions_of(transaction) if i.program_id == compute_budget.PROGRAM]
    said = {what.name: what.values for what in decoded if isinstance(what, Decoded)}
    assert len(said) == len(decoded)
    if not {"setComputeUnitLimit", "setComputeUnitPrice"} <= said.keys():
        pytest.skip("bids nothing, or for the default limit")
    bid = said["setComputeUnitLimit"]["units"] * said["setComputeUnitPrice"]["microLamports"]
    signatures = len(transaction["transaction"]["signatures"])
    assert 5000 * signatures - -bid // 1_000_000 == int(recording.expected["feeLamports"])


def parsed_instructions(transaction: dict[str, Any]) -> list[dict[str, Any]]:
    groups = transaction["meta"]["innerInstructions"]
    return [
        entry["parsed"] | {"program": entry["programId"]}
        for group in groups
        for entry in group["instructions"]
        if isinstance(entry.get("parsed"), dict)
    ]


def k(text: str) -> Pubkey:
    return Pubkey.from_string(text)


# The node's parsed form -> the instruction as other libraries write it.
WRITERS: dict[str, Callable[[dict[str, Any], Pubkey], Any]] = {
    "transfer": lambda i, p: system_program.transfer(
        system_program.TransferParams(from_pubkey=k(i["source"]), to_pubkey=k(i["destination"]), lamports=i["lamports"])
    ),
    "createAccount": lambda i, p: system_program.create_account(
        system_program.CreateAccountParams(
            from_pubkey=k(i["source"]),
            to_pubkey=k(i["newAccount"]),
            lamports=i["lamports"],
            space=i["space"],
            owner=k(i["owner"]),
        )
    ),
    "initializeMint2": lambda i, p: spl_token.initialize_mint2(
        models.InitializeMint2Params(
            decimals=i["decimals"], program_id=p, mint=k(i["mint"]), mint_authority=k(i["mintAuthority"])
        )
    ),
    "initializeImmutableOwner": lambda i, p: spl_token.initialize_immutable_owner(
        models.InitializeImmutableOwnerParams(program_id=p, account=k(i["account"]))
    ),
    "initializeAccount3": lambda i, p: spl_token.initialize_account3(
        models.InitializeAccount3Params(program_id=p, account=k(i["account"]), mint=k(i["mint"]), owner=k(i["owner"]))
    ),
    "mintTo": lambda i, p: spl_token.mint_to(
        models.MintToParams(
            program_id=p,
            mint=k(i["mint"]),
            dest=k(i["account"]),
            mint_authority=k(i["mintAuthority"]),
            amount=int(i["amount"]),
        )
    ),
    "transferChecked": lambda i, p: spl_token.transfer_checked(
        models.TransferCheckedParams(
            program_id=p,
            source=k(i["source"]),
            mint=k(i["mint"]),
            dest=k(i["destination"]),
            owner=k(i["authority"]),
            amount=int(i["tokenAmount"]["amount"]),
            decimals=i["tokenAmount"]["decimals"],
        )
    ),
    "setAuthority": lambda i, p: spl_token.set_authority(
        models.SetAuthorityParams(
            program_id=p,
            account=k(i["mint"]),
            authority=models.AuthorityType.MINT_TOKENS,
            current_authority=k(i["authority"]),
        )
    ),
}


@pytest.mark.parametrize("name", ["pumpfun-create-buy", "pumpfun-buy-mayhem"])
def test_recorded_parsed_instructions_survive_being_written_and_decoded(recorded: Any, name: str) -> None:
    entries = [e for e in parsed_instructions(recorded(name).transaction) if e["type"] in WRITERS]
    assert entries
    for entry in entries:
        instruction = from_solders(WRITERS[entry["type"]](entry["info"], k(entry["program"])))
        decoded = decode(instruction)
        assert isinstance(decoded, Decoded)
        assert_agrees(decoded, {"type": decoded.type, **entry["info"]})
        assert decoded.name == entry["type"]


def test_what_the_node_has_parsed_is_there_without_bytes_and_the_rest_resolved(recorded: Any) -> None:
    found = list(instructions_of(recorded("pumpfun-create-buy").transaction))

    assert {i.program_id for i in found if not i.is_parsed}.isdisjoint(DECODERS)
    parsed = [i for i in found if i.is_parsed]
    assert parsed
    assert all(isinstance(decode(i), Unknown) for i in parsed)


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode()


@pytest.mark.parametrize(
    ("data", "name", "values"),
    [
        (bytes([26, 1]) + struct.pack("<QBQ", 5, 6, 1), "transferCheckedWithFee", {"amount": 5, "feeAmount": 1}),
        (bytes([39, 0]) + bytes(32) + bytes(key(9)), "initializeMetadataPointer", {"metadataAddress": str(key(9))}),
        (
            bytes.fromhex("d2e11ea258b84d8d") + text("Name") + text("SYM") + text("https://x"),
            "initializeTokenMetadata",
            {"name": "Name", "symbol": "SYM", "uri": "https://x", "mint": str(key(3))},
        ),
        (bytes.fromhex("d7e4a6e45464567b") + bytes(32), "updateTokenMetadataAuthority", {"newAuthority": None}),
        (bytes([35]) + bytes(key(8)), "initializePermanentDelegate", {"delegate": str(key(8))}),
        (bytes([3]) + struct.pack("<Q", 2**64 - 1), "transfer", {"amount": 2**64 - 1}),
    ],
)
def test_token_2022_speaks_extensions_and_the_metadata_interface(
    data: bytes, name: str, values: dict[str, Any]
) -> None:
    decoded = decode(Instruction(TOKEN_2022, tuple(str(key(n)) for n in range(1, 6)), data))
    assert isinstance(decoded, Decoded)
    assert decoded.type == f"spl-token-2022.{name}"
    assert {field: decoded.values[field] for field in values} == values


def test_the_legacy_token_program_has_no_extensions() -> None:
    assert isinstance(decode(Instruction(TOKEN, (str(key(1)),) * 5, bytes([35]) + bytes(32))), Unknown)


def test_an_authority_over_an_account_names_an_account_and_one_over_a_mint_a_mint() -> None:
    owned = (str(key(1)), str(key(2)))
    of_account = decode(Instruction(TOKEN, owned, bytes([6, 2, 1]) + bytes(key(3))))
    of_mint = decode(Instruction(TOKEN, owned, bytes([6, 0, 0])))
    assert isinstance(of_account, Decoded)
    assert isinstance(of_mint, Decoded)
    assert of_account.values["account"] == str(key(1))
    assert of_account.values["newAuthority"] == str(key(3))
    assert of_mint.values["mint"] == str(key(1))
    assert of_mint.values["newAuthority"] is None


def test_a_seed_longer_than_the_data_is_unknown_not_an_error() -> None:
    data = struct.pack("<I", 3) + bytes(32) + struct.pack("<Q", 2**63) + b"seed"
    assert decode(Instruction(dispatch.system.PROGRAM, (str(key(1)), str(key(2))), data)) == Unknown(
        dispatch.system.PROGRAM, "too short"
    )


def test_the_first_version_of_an_associated_account_s_creation_has_no_data() -> None:
    accounts = tuple(str(key(n)) for n in range(1, 8))
    decoded = decode(Instruction(dispatch.associated_token.PROGRAM, accounts, b""))
    assert isinstance(decoded, Decoded)
    assert decoded.type == "ata.create"


def test_an_instruction_of_another_program_is_unknown() -> None:
    assert decode(Instruction(str(key(5)), (), b"\x01")) == Unknown(str(key(5)), "another program")


@given(
    program=st.sampled_from(sorted(DECODERS)),
    accounts=st.integers(0, 8).map(lambda n: tuple(str(key(i)) for i in range(n))),
    data=st.one_of(
        st.binary(max_size=80),
        st.tuples(st.integers(0, 60), st.binary(max_size=60)).map(lambda pair: bytes([pair[0]]) + pair[1]),
        st.tuples(st.integers(0, 14), st.binary(max_size=60)).map(lambda pair: struct.pack("<I", pair[0]) + pair[1]),
    ),
)
def test_no_instruction_raises(program: str, accounts: tuple[str, ...], data: bytes) -> None:
    decoded = decode(Instruction(program, accounts, data))
    assert isinstance(decoded, Decoded | Unknown)


def test_a_transaction_s_instructions_come_in_the_order_in_which_they_ran(recorded: Any) -> None:
    places = [(i.index, i.inner) for i in instructions_of(recorded("jup-lend-deposit").transaction)]
    assert places == sorted(places, key=lambda place: (place[0], -1 if place[1] is None else place[1]))
