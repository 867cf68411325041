"""Hypothesis strategies for what users write and what the chain says: every kind of definition, settings and events."""

from __future__ import annotations

import base64
from typing import Any

import base58
from hypothesis import strategies as st

from workflows.specs.notifications import OCCASIONS
from workflows.specs.secret_scan import secret_in_text
from workflows.specs.workflow import WorkflowSpec, parse

U64 = 2**64 - 1
TIMEZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]
CRONS = ["* * * * *", "*/15 8-18 * * MON-FRI", "0 0 1 1 *", "30 2 * * SUN#1", "0 12 L * *"]
PATTERNS = ["Transfer", r"amount: (\d+)", "^Program log: .*$", "(?i)error", "a|b"]
TEMPLATES = [
    "{{ event.slot }}",
    "{{ event.data.x // 2 + 1 }}",
    '{{ event["data"][0] }}',
    "{{ max(1, event.lamports) }}",
]


def addresses() -> st.SearchStrategy[str]:
    return st.binary(min_size=32, max_size=32).map(lambda raw: base58.b58encode(raw).decode())


def signatures() -> st.SearchStrategy[str]:
    return st.binary(min_size=64, max_size=64).map(lambda raw: base58.b58encode(raw).decode())


def ids() -> st.SearchStrategy[str]:
    return st.uuids().map(str)


def plain_texts(max_size: int = 40, min_size: int = 0) -> st.SearchStrategy[str]:
    """Text that PostgreSQL can store, with nothing in it that reads as a template or as a secret."""
    characters = st.characters(exclude_categories=("Cs",), exclude_characters="\x00{")
    return st.text(characters, min_size=min_size, max_size=max_size).filter(lambda text: secret_in_text(text) is None)


def templated_texts(max_size: int = 40) -> st.SearchStrategy[str]:
    return st.one_of(
        plain_texts(max_size, 1),
        st.sampled_from(TEMPLATES),
        st.tuples(plain_texts(max_size), st.sampled_from(TEMPLATES), plain_texts(max_size)).map("".join),
    ).filter(lambda text: secret_in_text(text) is None)


def lamports() -> st.SearchStrategy[int | str]:
    sol = st.tuples(st.integers(0, 10_000), st.integers(1, 10**9 - 1)).map(lambda two: f"{two[0]}.{two[1]:09d} SOL")
    return st.one_of(st.integers(1, U64), sol, st.integers(1, 10**6).map("{} lamports".format))


def token_amounts() -> st.SearchStrategy[int | str]:
    whole = st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)).map(lambda two: f"{two[0]}.{two[1]}0")
    return st.one_of(st.integers(1, U64), whole)


def _with(required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in required.items()},
        optional=optional or {},
    )


def triggers() -> st.SearchStrategy[dict[str, Any]]:
    """Documents of all ten kinds of triggers, in all their forms."""
    # Side by side, because two that want different bytes at one place could not be met together.
    memcmp = st.lists(st.binary(min_size=1, max_size=64), max_size=4).map(
        lambda raws: [{"offset": 64 * n, "bytes": base58.b58encode(raw).decode()} for n, raw in enumerate(raws)]
    )
    log_options = {"include_failed": st.booleans(), "on_truncated": st.sampled_from(["ignore", "notify"])}
    receipt = {"type": "token_receipt", "mint": addresses()}
    minimum = {"min_amount": token_amounts()}
    status = {"status": st.sampled_from(["any", "success", "failed"])}
    return st.one_of(
        _with(
            {"type": "balance_change", "address": addresses()},
            {"direction": st.sampled_from(["any", "increase", "decrease"]), "min_change": lamports()},
        ),
        _with({"type": "account_change", "address": addresses()}, {"watch": st.sampled_from(["any", "data", "owner"])}),
        _with(
            {"type": "program_account_change", "program_id": addresses()},
            {"memcmp": memcmp, "data_size": st.none() | st.integers(256, 10_000)},
        ),
        _with({**receipt, "wallet": addresses()}, minimum),
        _with({**receipt, "token_account": addresses()}, minimum),
        _with(
            {"type": "nft_receipt", "wallet": addresses()},
            {"collection": st.none() | addresses(), "verified_only": st.booleans()},
        ),
        _with({"type": "program_log", "program_id": addresses(), "pattern": st.sampled_from(PATTERNS)}, log_options),
        _with(
            {"type": "program_log", "program_id": addresses(), "event": plain_texts(min_size=1), "idl": ids()},
            log_options,
        ),
        _with({"type": "transaction_status", "signature": signatures()}, status),
        _with({"type": "transaction_status", "account": addresses()}, status),
        _with({"type": "transaction_status", "program_id": addresses()}, status),
        _with(
            {"type": "schedule", "cron": st.sampled_from(CRONS)},
            {"timezone": st.sampled_from(TIMEZONES), "missed": st.sampled_from(["run_once", "skip"])},
        ),
        _with({"type": "webhook"}, {"auth": st.sampled_from(["standard", "header"])}),
        st.just({"type": "manual"}),
    )


def open_fields() -> st.SearchStrategy[str]:
    """Fields of which a definition cannot know the type. Few, so that conditions and events meet."""
    return st.sampled_from(
        ["event.data.a", "event.data.b", "event.data.a.0", "event.data.deep.c", "event.data.items", "event.nowhere"]
    )


def scalars() -> st.SearchStrategy[Any]:
    """Values at the places where comparisons go wrong: 53, 64 and 128 bits, digits as text, 0, false and null."""
    edges = [0, 1, -1, 2**53, 2**53 + 1, 2**64 - 1, 2**64, 2**127]
    return st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(edges),
        st.sampled_from(edges).map(str),
        st.integers(-3, 3),
        st.sampled_from(["", "a", "ab", "ba", "007", "7", "1.5", " 1", "٣"]),
        st.sampled_from([1.0, 1.5, -0.0, float(2**53)]),
    )


def conditions(lists: list[str] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions with every operator; `in_list` names one of `lists`, or any id."""
    list_ids = st.sampled_from(lists) if lists else ids()
    numbers = scalars().filter(lambda value: _is_number(value))
    pieces = st.sampled_from(["a", "b", "ab", "7", "0"])
    field = open_fields()
    return st.one_of(
        _with({"field": field, "op": st.sampled_from(["eq", "ne", "contains", "not_contains"]), "value": scalars()}),
        _with({"field": field, "op": st.sampled_from(["gt", "gte", "lt", "lte"]), "value": numbers}),
        _with({"field": field, "op": st.sampled_from(["starts_with", "ends_with"]), "value": pieces}),
        _with({"field": field, "op": "regex", "value": st.sampled_from(["^a", "b$", "[0-9]+", "a.*b"])}),
        _with(
            {
                "field": field,
                "op": st.sampled_from(["in", "not_in"]),
                "value": st.lists(scalars(), min_size=1, max_size=4),
            }
        ),
        _with({"field": field, "op": st.sampled_from(["in_list", "not_in_list"]), "value": list_ids}),
        _with({"field": field, "op": st.sampled_from(["exists", "changed"])}),
    )


def filters(depth: int = 3, lists: list[str] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions nested by `all`, `any` and `not`, at most `depth` deep."""
    if depth == 0:
        return conditions(lists)
    below = filters(depth - 1, lists)
    members = st.lists(below, min_size=1, max_size=3)
    return st.one_of(conditions(lists), _with({"all": members}), _with({"any": members}), _with({"not": below}))


def actions() -> st.SearchStrategy[dict[str, Any]]:
    """Documents of all kinds of actions, in all their forms."""
    to = st.one_of(addresses(), st.just("{{ event.account }}"))
    owner = {"owner": addresses()}
    account = _with({"address": to}, {"signer": st.booleans(), "writable": st.booleans()})
    tables = {"lookup_tables": st.lists(addresses(), max_size=3, unique=True)}
    data = st.binary(max_size=64)
    raw = {"type": "call_program", "program_id": addresses(), "accounts": st.lists(account, max_size=4)}
    names = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
    json_values = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-U64, U64), templated_texts()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
        max_leaves=6,
    )
    return st.one_of(
        _with({"type": "transfer_sol", "to": to, "lamports": st.one_of(lamports(), st.just(TEMPLATES[1]))}, owner),
        _with(
            {"type": "transfer_sol", "to": to, "lamports": "max"}, {"keep": st.one_of(lamports(), st.just(0)), **owner}
        ),
        _with(
            {"type": "transfer_token", "mint": addresses(), "to": to, "amount": token_amounts()},
            {"create_recipient_account": st.booleans(), **owner},
        ),
        _with(
            {"type": "transfer_token", "mint": addresses(), "to": to, "amount": "max"},
            {"keep": st.one_of(token_amounts(), st.just(0)), **owner},
        ),
        _with({**raw, "data": data.map(lambda raw: base64.b64encode(raw).decode())}, tables),
        _with({**raw, "data": data.map(lambda raw: base58.b58encode(raw).decode()), "encoding": "base58"}, tables),
        _with({**raw, "data": data.map(bytes.hex), "encoding": "hex"}, tables),
        _with(
            {"type": "call_program", "program_id": addresses(), "idl": ids(), "instruction": names},
            {
                "accounts": st.dictionaries(names, to, max_size=4),
                "args": st.dictionaries(names, json_values, max_size=4),
                **tables,
            },
        ),
        _with({"type": "memo", "text": templated_texts()}),
    )


def notifications() -> st.SearchStrategy[dict[str, Any]]:
    colors = st.one_of(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF).map("#{:06X}".format))
    return _with(
        {"channel": ids(), "on": st.lists(st.sampled_from(OCCASIONS), min_size=1, unique=True)},
        {
            "template": st.sampled_from(["default", "success", "error", "minimal", "detailed"]),
            "title": st.none() | templated_texts(),
            "message": st.none() | templated_texts(),
            "color": st.none() | colors,
        },
    )


def definitions() -> st.SearchStrategy[dict[str, Any]]:
    """Whole documents that are right, as people may write them (amounts with units, defaults left out)."""
    return _with(
        {"trigger": triggers()},
        {
            "schema": st.just(1),
            "filter": st.none() | filters(),
            "actions": st.lists(actions(), max_size=8),
            "notifications": st.lists(notifications(), max_size=4),
        },
    )


def specs() -> st.SearchStrategy[WorkflowSpec]:
    return definitions().map(parse)


def settings() -> st.SearchStrategy[dict[str, Any]]:
    """Documents of a workflow's settings."""
    limits = st.one_of(st.integers(0, 2**63 - 1), st.just("0.25 SOL"))
    token_limits = st.dictionaries(addresses(), st.integers(0, U64), max_size=3)
    listed = st.none() | st.lists(addresses(), max_size=3, unique=True)
    seconds = st.integers(1, 10**6)
    return _with(
        {"name": plain_texts(200, 1).filter(str.strip)},
        {
            "description": plain_texts(100),
            "commitment": st.sampled_from(["processed", "confirmed", "finalized"]),
            "dry_run": st.booleans(),
            "ordered": st.booleans(),
            "max_event_age_s": st.none() | seconds,
            "max_lamports_per_tx": limits,
            "max_lamports_per_day": st.none() | limits,
            "max_tokens_per_tx": token_limits,
            "max_tokens_per_day": token_limits,
            "max_executions_per_hour": st.integers(1, 10_000),
            "allowed_recipients": listed,
            "allowed_programs": listed,
            "approval_above_lamports": st.none() | limits,
            "approval_expires_s": seconds,
            "approvers": st.integers(1, 5),
            "pause_after_failures": st.none() | st.integers(1, 1000),
        },
    )


def json_events() -> st.SearchStrategy[dict[str, Any]]:
    """Events whose fields are those of `open_fields`, with any JSON values in them."""
    values = st.one_of(scalars(), st.lists(scalars(), max_size=3))
    data = st.fixed_dictionaries(
        {},
        optional={
            "a": values,
            "previous_a": values,
            "b": values,
            "previous_b": values,
            "items": st.lists(scalars(), max_size=3),
            "deep": st.one_of(values, st.fixed_dictionaries({}, optional={"c": values, "previous_c": values})),
        },
    )
    return st.fixed_dictionaries({"type": st.just("manual")}, optional={"data": st.one_of(values, data)})


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.removeprefix("-").isdigit()
    return isinstance(value, int | float) and not isinstance(value, bool)
