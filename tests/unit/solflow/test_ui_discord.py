"""Webhook payloads as Discord would show them."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.channels.base import Line, Message
from executions.channels.discord import payload
from executions.channels.discord_text import escape, visible
from solflow.ui.discord import discord_message, markdown

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=80) | st.text("`*_~\\[]()<>#@:/ht.", max_size=40)


@given(any_text)
def test_what_the_channel_escaped_is_shown_as_it_was_written(text: str) -> None:
    assert html.unescape(markdown(escape(text))) == visible(text).replace("\ue000", "")


@given(any_text)
def test_no_text_makes_a_tag_that_discord_would_not_make(text: str) -> None:
    tags = set(re.findall(r"</?([a-z]+)", markdown(text)))
    assert tags <= {"strong", "em", "u", "s", "code", "pre", "br", "a"}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**bold** and *it*", "<strong>bold</strong> and <em>it</em>"),
        ("`**code**`", "<code>**code**</code>"),
        ("```\na\nb\n```", "<pre>a<br>b</pre>"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("<script>", "&lt;script&gt;"),
    ],
)
def test_markdown_is_shown_as_discord_shows_it(written: str, shown: str) -> None:
    assert markdown(written) == shown


def test_a_masked_link_opens_apart_and_tells_the_other_site_nothing() -> None:
    assert markdown("[`4sGj…`](https://explorer.solana.com/tx/1?a=1&b=2)") == (
        '<a href="https://explorer.solana.com/tx/1?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">'
        "<code>4sGj…</code></a>"
    )


def test_an_address_cannot_leave_its_attribute() -> None:
    assert '"onx=' not in markdown('[x](https://a/"onx="1)')


def test_a_message_of_the_discord_channel_is_shown_whole() -> None:
    sent = payload(
        Message(
            title="Forward succeeded",
            text="It works.",
            color=0x14B887,
            lines=[Line("Amount", "0.5 SOL", "text", True, None), Line("Logs", "a\nb", "block", False, None)],
            url="http://127.0.0.1:8000/executions/1/",
            footer="version 14",
            at="2026-11-23T01:02:03.000004Z",
        )
    )
    [embed] = discord_message(sent).embeds
    assert (embed.title, embed.color, embed.url) == (
        "Forward succeeded",
        "#14b887",
        "http://127.0.0.1:8000/executions/1/",
    )
    assert [(field.name, field.value, field.inline) for field in embed.fields] == [
        ("Amount", "0.5 SOL", True),
        ("Logs", "<pre>a<br>b</pre>", False),
    ]
    assert (embed.footer, embed.at.second) == ("version 14", 3)


@pytest.mark.parametrize(
    "hostile",
    [
        {},
        {"embeds": "x"},
        {"embeds": [1]},
        {"embeds": [{"color": "red", "fields": 3, "footer": [], "timestamp": "soon"}]},
    ],
)
def test_whatever_arrives_in_the_inbox_is_shown_as_far_as_it_goes(hostile: dict[str, object]) -> None:
    assert discord_message(hostile).username == "SolFlow"


def test_a_link_that_is_no_web_address_is_no_link() -> None:
    [embed] = discord_message({"embeds": [{"title": "x", "url": "javascript:alert(1)"}]}).embeds
    assert embed.url == ""
