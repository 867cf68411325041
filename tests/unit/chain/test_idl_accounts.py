"""Accounts of an instruction by name: what may be left out, what is derived, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from solders.pubkey import Pubkey

from chain.decode.idl import AccountErrors, AccountUse, Idl, account_problems, parse_idl, resolve_accounts
from chain.tx.instructions import TOKEN_PROGRAM, associated_token_address
from tests.unit.chain.idl_documents import ALICE, BOB, PROGRAM, new_format, struct

SYSTEM_PROGRAM = "11111111111111111111111111111111"
ATA_PROGRAM = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
SIGNER = ALICE


def idl_with(items: list[dict[str, Any]], args: list[dict[str, Any]] | None = None, **parts: Any) -> Idl:
    go = {"name": "go", "discriminator": [1], "accounts": items, "args": args or []}
    return parse_idl(new_format(instructions=[go], **parts), PROGRAM)


def resolve(idl: Idl, given: dict[str, str] | None = None, **more: Any) -> list[AccountUse]:
    return resolve_accounts(
        idl,
        idl.instruction("go"),
        given=given or {},
        args=more.get("args", {}),
        signer=SIGNER,
        read_account=more.get("read_account", lambda address: None),
    )


def addresses(idl: Idl, given: dict[str, str] | None = None, **more: Any) -> list[str]:
    return [use.address for use in resolve(idl, given, **more)]


def refused(idl: Idl, given: dict[str, str] | None = None, **more: Any) -> str:
    with pytest.raises(AccountErrors) as caught:
        resolve(idl, given, **more)
    return str(caught.value)


def derived(*seeds: bytes, program: str = PROGRAM) -> str:
    return str(Pubkey.find_program_address(list(seeds), Pubkey.from_string(program))[0])


def key(address: str) -> bytes:
    return bytes(Pubkey.from_string(address))


def pda(*seeds: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"seeds": list(seeds), **more}


def test_accounts_are_listed_in_the_idls_order_with_what_it_says_of_them() -> None:
    """Both formats, names in either spelling."""
    idl = idl_with([{"name": "pool_state", "writable": True}, {"name": "payer", "isSigner": True, "isMut": True}])

    assert resolve(idl, {"poolState": BOB}) == [
        AccountUse(BOB, signer=False, writable=True),
        AccountUse(SIGNER, signer=True, writable=True),
    ]


def test_accounts_in_groups_have_a_full_name_and_a_plain_one_where_that_is_one_account_only() -> None:
    """The order is that of the flattened list."""
    group = {"name": "left", "accounts": [{"name": "vault"}, {"name": "oracle"}]}
    other = {"name": "right", "accounts": [{"name": "vault"}]}
    idl = idl_with([group, other])

    assert addresses(idl, {"oracle": BOB, "left.vault": ALICE, "right.vault": PROGRAM}) == [ALICE, BOB, PROGRAM]
    assert "accounts.vault: is no account of go" in refused(idl, {"vault": ALICE})


def test_what_every_client_knows_need_not_be_named() -> None:
    """Fixed addresses, programs by their names, rent, and the signer where one account must sign."""
    names = ["system_program", "tokenProgram", "associated_token_program", "rent"]
    fixed = {"name": "config", "address": BOB}
    idl = idl_with([fixed, *({"name": name} for name in names), {"name": "user", "signer": True}])

    assert addresses(idl) == [
        BOB,
        SYSTEM_PROGRAM,
        TOKEN_PROGRAM,
        ATA_PROGRAM,
        "SysvarRent111111111111111111111111111111111",
        SIGNER,
    ]


def test_the_pair_by_which_events_are_emitted_is_known_only_side_by_side() -> None:
    """`program` alone may be anything."""
    idl = idl_with([{"name": "event_authority"}, {"name": "program"}])

    assert addresses(idl) == [derived(b"__event_authority"), PROGRAM]
    assert "accounts.program: is missing" in refused(idl_with([{"name": "program"}]))


def test_an_optional_account_that_is_left_out_is_the_program_itself() -> None:
    """That is how Anchor writes None; it neither signs nor is written."""
    idl = idl_with([{"name": "referrer", "optional": True, "writable": True, "signer": True}])

    assert resolve(idl) == [AccountUse(PROGRAM, signer=False, writable=False)]
    assert resolve(idl, {"referrer": SIGNER}) == [AccountUse(SIGNER, signer=True, writable=True)]


def test_an_address_is_derived_from_constants_arguments_and_other_accounts() -> None:
    """Texts without their length, integers little-endian, fields of arguments by their path."""
    seeds = [
        {"kind": "const", "value": list(b"vault")},
        {"kind": "arg", "path": "config.index"},
        {"kind": "arg", "path": "name"},
        {"kind": "account", "path": "owner"},
    ]
    args = [{"name": "config", "type": {"defined": {"name": "Config"}}}, {"name": "name", "type": "string"}]
    idl = idl_with(
        [{"name": "vault", "pda": pda(*seeds)}, {"name": "owner"}], args, types=[struct("Config", ("index", "u16"))]
    )

    found = addresses(idl, {"owner": BOB}, args={"config": {"index": 258}, "name": "abc"})

    assert found[0] == derived(b"vault", b"\x02\x01", b"abc", key(BOB))


def test_the_associated_token_account_is_a_pda_of_another_program() -> None:
    """`pda.program` as constant bytes, and as another account."""
    seeds = [{"kind": "account", "path": path} for path in ("owner", "token_program", "mint")]
    for program in (
        {"kind": "const", "value": list(key(ATA_PROGRAM))},
        {"kind": "account", "path": "associated_token_program"},
    ):
        idl = idl_with(
            [
                {"name": "ata", "pda": pda(*seeds, program=program)},
                *({"name": name} for name in ("owner", "mint", "token_program", "associated_token_program")),
            ]
        )
        found = addresses(idl, {"owner": ALICE, "mint": BOB})
        assert found[0] == associated_token_address(ALICE, BOB)


def test_one_derived_address_may_be_a_seed_of_another() -> None:
    """In whatever order the IDL lists them."""
    outer = {"name": "outer", "pda": pda({"kind": "account", "path": "inner"})}
    inner = {"name": "inner", "pda": pda({"kind": "const", "value": [1]})}

    found = addresses(idl_with([outer, inner]))

    assert found == [derived(key(derived(b"\1"))), derived(b"\1")]


def test_a_seed_in_an_accounts_data_is_read_by_the_idl() -> None:
    """The account is asked for, decoded, and the field taken."""
    pool_type = struct("Pool", ("id", "u16"), ("inner", {"defined": {"name": "Inner"}}))
    idl = idl_with(
        [
            {"name": "pool"},
            {"name": "vault", "pda": pda({"kind": "account", "path": "pool.inner.mint", "account": "Pool"})},
        ],
        accounts=[{"name": "Pool", "discriminator": [5]}],
        types=[pool_type, struct("Inner", ("mint", "pubkey"))],
    )
    data = {ALICE: b"\5" + b"\7\0" + key(BOB)}

    assert addresses(idl, {"pool": ALICE}, read_account=data.get)[1] == derived(key(BOB))
    assert "which does not exist" in refused(idl, {"pool": BOB}, read_account=data.get)
    assert "no account of this IDL" in refused(idl, {"pool": ALICE}, read_account=lambda address: b"\6")


def test_the_mint_and_owner_of_a_token_account_are_known_without_an_idl() -> None:
    """Token accounts are in no IDL of the programs that use them."""
    seeds = [{"kind": "account", "path": f"source.{name}", "account": "TokenAccount"} for name in ("owner", "mint")]
    idl = idl_with([{"name": "source"}, {"name": "vault", "pda": pda(*seeds)}])
    data = key(ALICE) + key(BOB) + bytes(101)

    assert addresses(idl, {"source": PROGRAM}, read_account=lambda address: data)[1] == derived(key(BOB), key(ALICE))


def test_constant_seeds_of_the_old_format_have_a_type() -> None:
    """A text, a number, an address."""
    seeds = [
        {"kind": "const", "type": "string", "value": "pool"},
        {"kind": "const", "type": "u16", "value": 1},
        {"kind": "const", "type": "publicKey", "value": BOB},
    ]

    assert addresses(idl_with([{"name": "pool", "pda": pda(*seeds)}])) == [derived(b"pool", b"\1\0", key(BOB))]


def test_a_seed_that_is_rust_must_be_named() -> None:
    """As in a real IDL: `third_party_id.unwrap_or(0)`."""
    idl = idl_with([{"name": "margin", "pda": pda({"kind": "arg", "path": "third_party_id.unwrap_or(0)"})}])

    assert "accounts.margin: must be named: the seed third_party_id.unwrap_or(0) cannot be derived" in refused(idl)
    assert addresses(idl, {"margin": BOB}) == [BOB]
    assert [problem.path for problem in account_problems(idl, idl.instruction("go"), {}, lambda value: False)] == [
        "accounts.margin"
    ]


def test_an_account_that_is_derived_from_its_own_data_must_be_named() -> None:
    """As the pool of a real AMM: its seeds are what is stored in it."""
    seed = {"kind": "account", "path": "pool.index", "account": "Pool"}
    idl = idl_with([{"name": "pool", "pda": pda(seed)}])

    assert "accounts.pool: must be named: the IDL derives it from its own data" in refused(idl)
    assert addresses(idl, {"pool": BOB}) == [BOB]


def test_accounts_that_are_derived_from_each_other_are_refused() -> None:
    """A document may be hostile."""
    first = {"name": "first", "pda": pda({"kind": "account", "path": "second"})}
    second = {"name": "second", "pda": pda({"kind": "account", "path": "first"})}

    assert "is derived from itself (first from second from first): name one of them" in refused(
        idl_with([first, second])
    )


@pytest.mark.parametrize(
    ("accounts", "given", "words"),
    [
        ([{"name": "pool"}], {}, "accounts.pool: is missing, and the IDL does not say how to derive it"),
        ([{"name": "pool"}], {"pol": BOB}, "accounts.pol: is no account of go; did you mean pool?"),
        ([{"name": "pool"}], {"pool": "nobody"}, "accounts.pool: must be an address"),
        ([{"name": "pool"}], {"pool": BOB, "Pool": BOB}, "accounts.Pool: is given twice"),
        ([{"name": "pool", "address": ALICE}], {"pool": BOB}, f"accounts.pool: is always {ALICE}"),
        ([{"name": "user", "signer": True}], {"user": BOB}, f"accounts.user: ({BOB}) must sign"),
        (
            [{"name": "user", "signer": True}, {"name": "new", "signer": True}],
            {},
            "accounts.new: must be named: more than",
        ),
        ([{"name": "x", "pda": {"seeds": [{"kind": "arg", "path": "y"}]}}], {}, "its seed y has no value"),
        (
            [{"name": "x", "pda": {"seeds": [{"kind": "const", "value": [0] * 33}]}}],
            {},
            "at most 15 seeds of at most 32",
        ),
        (
            [{"name": "x", "pda": {"seeds": [{"kind": "account", "path": "y"}]}}],
            {},
            "names no account of the instruction",
        ),
    ],
)
def test_an_account_that_cannot_be_found_is_said_with_its_name(
    accounts: list[dict[str, Any]], given: dict[str, str], words: str
) -> None:
    """The only signer is the workflow's."""
    assert words in refused(idl_with(accounts), given)


def test_what_is_known_to_be_wrong_before_anything_is_rendered_is_said_then() -> None:
    """Missing and misspelt names, fixed addresses; a template may still become the right one."""
    idl = idl_with([{"name": "pool"}, {"name": "config", "address": ALICE}, {"name": "user", "signer": True}])

    def problems(given: dict[str, str]) -> list[str]:
        found = account_problems(idl, idl.instruction("go"), given, lambda value: "{{" in value)
        return [problem.path for problem in found]

    assert problems({"pool": BOB}) == []
    assert problems({"pool": "{{ event.account }}", "config": "{{ event.account }}"}) == []
    assert problems({"config": BOB, "x": BOB}) == ["accounts.x", "accounts.pool", "accounts.config"]
