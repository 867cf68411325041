"""Discord: what is sent is valid, what comes back is understood."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executions.channels.answers import Answer, retry_after_s
from executions.channels.base import ChannelError, Line, Message, Pace, RateLimited
from executions.channels.discord import Discord, judge, payload
from executions.channels.discord_text import block, code, escape
from executions.channels.texts import CUT, cut
from tests.discord_limits import assert_valid

URL = "https://discord.com/api/webhooks/42/SecretTokenOfTheWebhook"


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=3000) | st.text("`*_\\[]() \n", max_size=3000)
long_text = st.builds(lambda text, times: (text or "x") * times, any_text, st.integers(1, 200))
lines = st.builds(
    Line,
    any_text,
    any_text | long_text,
    st.sampled_from(["text", "code", "block"]),
    st.booleans(),
    st.none() | st.just("https://explorer.solana.com/tx/" + "5" * 88) | st.just("https://x.example/" + "y" * 3000),
)
messages = st.builds(
    Message,
    title=any_text | long_text,
    text=any_text | long_text,
    color=st.integers(0, 0xFFFFFF),
    lines=st.lists(lines, max_size=60).map(tuple),
    url=st.none() | st.just("https://explorer.solana.com/" + "u" * 3000),
    footer=any_text | long_text,
    at=st.none() | st.just("2026-11-23T01:02:03.000004Z"),
)


@given(messages)
@settings(max_examples=150, deadline=None)
def test_every_message_is_within_discords_limits(message: Message) -> None:
    assert_valid(payload(message))


def test_the_longest_fields_there_can_be_are_cut_and_say_so() -> None:
    message = Message(
        title="t" * 10_000,
        text="d" * 10_000,
        color=0xFFFFFF,
        lines=tuple(Line("n" * 500, "v" * 10_000, kind) for kind in ("text", "code", "block") * 20),
        footer="f" * 10_000,
    )
    document = payload(message)
    assert_valid(document)
    (embed,) = document["embeds"]
    assert embed["title"].endswith(CUT)
    assert embed["description"].endswith(CUT)
    assert "(cut)" in embed["fields"][0]["value"]
    assert embed["fields"][-1]["name"] == "Left out"


def test_more_facts_than_discord_has_fields_are_counted_in_the_last_one() -> None:
    (embed,) = payload(Message("t", "", 0, tuple(Line(f"n{n}", "v") for n in range(30))))["embeds"]
    assert len(embed["fields"]) == 25
    assert embed["fields"][-1]["value"].startswith("6 more")


def test_a_message_that_fits_is_not_touched() -> None:
    url = "https://explorer.solana.com/tx/abc?cluster=devnet"
    message = Message("Title", "Text", 7, (Line("Account", "abc", "code", url=url), Line("Fee", "1", short=True)), url)
    (embed,) = payload(message)["embeds"]
    assert embed["fields"] == [
        {"name": "Account", "value": f"[`abc`]({url})", "inline": False},
        {"name": "Fee", "value": "1", "inline": True},
    ]
    assert (embed["title"], embed["description"], embed["url"]) == ("Title", "Text", url)


def test_characters_are_counted_as_discord_counts_them_by_code_point() -> None:
    assert cut("🦆" * 256, 256) == "🦆" * 256


HOSTILE = [
    "**bold** __under__ ~~gone~~ ||spoiler||",
    "`code` ```block```",
    "[free money](https://evil.example)",
    "<@123> <@&456> <#789> @everyone @here <t:0:R> <:emoji:1>",
    "# heading",
    "> quote",
    "- list",
    "1. list",
    "https://evil.example/claim",
    "back\\slash \\*",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_markdown_of_a_stranger_survives_escaping(text: str) -> None:
    # Without what is escaped, nothing that means something to Discord is left.
    left = re.sub(r"\\.", "", escape(text))
    assert not re.search(r"[*_~`|<>\[\]#@\\]|://|^\s*(-|\+|\d+\.)\s", left)


@given(any_text)
def test_escaping_only_adds_backslashes(text: str) -> None:
    plain = " ".join(text.splitlines())
    shown = re.sub(r"\\([^0-9A-Za-z\s])", r"\1", escape(text))
    assert set(shown) <= set(plain)


def test_a_stranger_cannot_turn_or_break_a_line() -> None:
    assert escape("pay\u202eyap\u200b\nForged: line\x07") == "payyap Forged: line"


@given(any_text, st.integers(40, 200))
def test_a_code_span_and_a_block_cannot_be_left_from_inside(text: str, limit: int) -> None:
    span, fenced = code(text, limit), block(text, limit)
    assert span.count("`") == 2
    assert fenced.count("`") == 6
    assert len(span) <= limit
    assert len(fenced) <= limit


def test_a_long_log_keeps_its_end() -> None:
    shown = block("\n".join(f"line {n}" for n in range(100)), 100)
    assert shown.endswith("line 99\n```")
    assert "(cut)" in shown


def test_a_cut_leaves_no_backslash_to_escape_what_follows() -> None:
    shown = cut("\\*" * 100, 50)
    assert shown.endswith(CUT)
    assert not shown.removesuffix(CUT).endswith("\\")


def answer(status: int, document: Any = None, **headers: str) -> Answer:
    body = b"" if document is None else orjson.dumps(document)
    return Answer("discord.com", status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_delivered_and_tells_what_is_left(status: int) -> None:
    pace = judge(answer(status, x_ratelimit_remaining="4", x_ratelimit_reset_after="1.25"), URL)
    assert pace == Pace(4, 1.25)


@pytest.mark.parametrize(
    ("document", "headers", "wait_s", "whole"),
    [
        ({"retry_after": 64.57, "global": False}, {"x_ratelimit_scope": "user", "retry_after": "65"}, 64.57, False),
        ({"retry_after": 2, "global": True}, {"x_ratelimit_global": "true"}, 2.0, True),
        ({"retry_after": 2}, {"x_ratelimit_global": "true"}, 2.0, True),
        ({"message": "slow down"}, {"retry_after": "7"}, 7.0, False),
        ({"message": "slow down"}, {"x_ratelimit_reset_after": "1.5"}, 1.5, False),
        ({"retry_after": "nonsense"}, {}, 5.0, False),
        ({"retry_after": -4}, {}, 5.0, False),
        ({"retry_after": True}, {"retry_after": "3"}, 3.0, False),
        (None, {"retry_after": "3600", "server": "cloudflare"}, 3600.0, True),
        (None, {}, 5.0, True),
    ],
)
def test_a_429_says_how_long_and_for_whom(document: Any, headers: dict[str, str], wait_s: float, whole: bool) -> None:
    with pytest.raises(RateLimited) as limited:
        judge(answer(429, document, **headers), URL)
    assert (limited.value.retry_after_s, limited.value.whole_family) == (wait_s, whole)


@pytest.mark.parametrize(
    ("status", "permanent", "maybe"),
    [
        (301, True, False),
        (400, True, False),
        (401, True, False),
        (403, True, False),
        (404, True, False),
        (408, False, False),
        (413, True, False),
        (500, False, False),
        (502, False, True),
        (503, False, False),
        (504, False, True),
        (524, False, True),
    ],
)
def test_each_status_is_final_or_passing_and_a_gateways_may_hide_a_delivery(
    status: int, permanent: bool, maybe: bool
) -> None:
    with pytest.raises(ChannelError) as failed:
        judge(answer(status), URL)
    assert (failed.value.permanent, failed.value.maybe_delivered, failed.value.gone) == (permanent, maybe, False)
    assert failed.value.detail.startswith(f"discord.com answered {status}")


def test_discords_own_explanation_is_told() -> None:
    with pytest.raises(ChannelError, match=r"discord\.com answered 400: 50035 Invalid Form Body"):
        judge(answer(400, {"code": 50035, "message": "Invalid Form Body"}), URL)


def test_an_explanation_that_repeats_the_token_is_not_told() -> None:
    with pytest.raises(ChannelError) as failed:
        judge(answer(400, {"message": "no webhook SecretTokenOfTheWebhook here"}), URL)
    assert "SecretToken" not in failed.value.detail


def test_only_discords_word_that_a_webhook_is_unknown_means_that_it_is_gone() -> None:
    with pytest.raises(ChannelError) as failed:
        judge(answer(404, {"code": 10015, "message": "Unknown Webhook"}), URL)
    assert failed.value.gone


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'"text"', b"{", b"\xff\xfe"])
def test_a_body_of_any_kind_is_survived(body: bytes) -> None:
    for status in (400, 429, 500):
        with pytest.raises(ChannelError):
            judge(Answer("discord.com", status, {}, body), URL)


def test_one_webhook_written_in_several_ways_is_one_destination() -> None:
    ways = [
        "https://discord.com/api/webhooks/42/Token",
        "https://discordapp.com/api/v10/webhooks/42/Token",
        "https://ptb.discord.com/api/webhooks/42/Token?thread_id=7",
    ]
    assert len({Discord().destination({"webhook_url": way}) for way in ways}) == 1
    other = Discord().destination({"webhook_url": "https://discord.com/api/webhooks/42/Other"})
    assert other != Discord().destination({"webhook_url": ways[0]})
    assert "Token" not in repr(other)


def test_retry_after_may_be_a_date() -> None:
    now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    assert retry_after_s({"retry-after": "Thu, 01 Jan 2026 12:01:00 GMT"}, now=now) == 60
    assert retry_after_s({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, now=now) == 0
    assert retry_after_s({"retry-after": "soon"}) is None
    assert retry_after_s({}) is None
