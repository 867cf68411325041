"""What Slack, Telegram and webhooks are sent is within their limits, whatever the message holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from executions.channels import discord, slack, telegram, webhook
from executions.channels.base import Line, MailServer, Message
from executions.channels.email import written
from executions.channels.registry import CHANNELS
from executions.channels.slack_text import escape
from executions.messages import OUTCOMES, TEMPLATES, build
from tests.discord_limits import assert_valid
from tests.unit.executions.test_channels_discord import messages
from tests.unit.executions.test_messages import EXPLORER, execution

LONGEST = Message(
    title="t" * 10_000,
    text="𝄞" * 10_000,
    color=0xFFFFFF,
    lines=tuple(Line("n" * 500, "<&>" * 5000, kind) for kind in ("text", "code", "block") * 30),
    footer="f" * 10_000,
)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def assert_telegram_takes(document: dict[str, Any]) -> None:
    """https://core.telegram.org/bots/api#sendmessage"""
    text = document["text"]
    assert 1 <= units(text) <= 4096
    assert text == text.lstrip()  # it would be cut off, and the ranges would be wrong
    assert len(document["entities"]) <= 100
    for entity in document["entities"]:
        assert entity["length"] > 0 and entity["offset"] + entity["length"] <= units(text)


def assert_slack_takes(document: dict[str, Any]) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks"""
    (attachment,) = document["attachments"]
    assert 1 <= len(document["text"]) <= 4000
    assert len(attachment["blocks"]) <= 50
    for block in attachment["blocks"]:
        fields = block.get("fields", [])
        assert len(fields) <= 10 and all(1 <= len(field["text"]) <= 2000 for field in fields)
        assert "text" not in block or 1 <= len(block["text"]["text"]) <= 3000
        assert block["type"] != "section" or fields or block["text"]
    assert "<!" not in str(document) and "<@" not in str(document)


@given(messages)
@settings(max_examples=60, deadline=None)
def test_every_message_is_within_the_limits_of_each_channel(message: Message) -> None:
    assert_telegram_takes(telegram.payload(message))
    assert_slack_takes(slack.payload(message))
    assert orjson.dumps(webhook.payload(message))
    assert written(
        replace(message, id="msg_1"), MailServer("mail.example", 25, "solflow@example.org"), ["ops@example.org"]
    )


def test_the_longest_message_is_cut_and_says_so() -> None:
    told, blocks = telegram.payload(LONGEST), slack.payload(LONGEST)
    assert_telegram_takes(told)
    assert_slack_takes(blocks)
    for text in (told["text"], str(blocks)):
        assert "(cut)" in text and "more, to be seen in SolFlow" in text


def test_a_range_is_counted_as_telegram_counts_it() -> None:
    document = telegram.payload(Message("𝄞 paid", "", 0, (Line("Fee", "5", "code"),)))
    start = document["text"].encode("utf-16-le").index("5".encode("utf-16-le")) // 2
    assert {"type": "code", "offset": start, "length": 1} in document["entities"]


def test_what_a_stranger_wrote_is_no_link_and_no_mention_in_slack() -> None:
    assert escape("<!channel> <https://evil.example|win> & more") == (
        "&lt;!channel&gt; &lt;https://evil.example|win&gt; &amp; more"
    )
    document = slack.payload(Message("<!here> paid", "<@U1> look", 0))
    assert_slack_takes(document)


def test_a_large_execution_leaves_out_what_is_large_and_names_it() -> None:
    execution = {"execution_id": "e", "event": {"data_base64": "A" * 90_000, "slot": 5}, "transaction": None}
    said = webhook.payload(Message("t", "", 0, type="execution.success", about={"execution": execution}))["data"]
    assert said["execution"]["event"] == {"data_base64": None, "slot": 5}
    assert said["left_out"] == ["execution.event.data_base64"]
    assert len(orjson.dumps(said)) <= webhook.MAX_BYTES


@pytest.mark.parametrize("key", ["steps", "filter_trace"])
def test_any_part_of_an_execution_that_is_too_large_is_left_out(key: str) -> None:
    execution = {"execution_id": "e", key: ["x" * 1000] * 200}
    said = webhook.payload(Message("t", "", 0, about={"execution": execution}))["data"]
    assert (said["execution"][key], said["left_out"]) == (None, [f"execution.{key}"])


def test_no_header_of_a_mail_is_made_by_what_somebody_wrote() -> None:
    mail = written(
        Message("paid\r\nBcc: evil@example.com", "text\r\n.\r\nMAIL FROM", 0, id="msg_1"),
        MailServer("mail.example", 25, "solflow@example.org"),
        ["ops@example.org"],
    )
    head, _, _ = mail.partition(b"\r\n\r\n")
    assert not any(line.lower().startswith(b"bcc") for line in head.splitlines())


def longest(outcome: str, template: str, escape: Callable[[str], str]) -> Message:
    """Every text as long as its limit lets it be, and made of what markup is made of."""
    document = execution(
        event={
            "type": "program_log",
            "slot": 2**63,
            "account": "1" * 44,
            "line": "*" * 10_000,
            **{f"field_{number}": "_" * 5_000 for number in range(40)},
        },
        error={"code": "x" * 100, "detail": "`" * 10_000},
        steps=[{"name": "detected", "at": "2026-11-23T01:00:00Z", "detail": None}] * 200,
    )
    document["transaction"]["logs"] = ["Program log: " + "<" * 900] * 40
    own = {"title": "# " * 128, "message": "> {{ event.line }}" + "m" * 4000, "template": template}
    workflow = {"id": "7d3c", "name": "[]()" * 50}
    return build(outcome, own, document, workflow, explorer=EXPLORER, escape=escape)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("outcome", sorted(set(OUTCOMES) - {"test"}))
def test_the_longest_message_of_each_template_and_outcome_is_taken_by_every_channel(
    outcome: str, template: str
) -> None:
    told = {kind: longest(outcome, template, channel.escape) for kind, channel in CHANNELS.items()}
    assert_valid(discord.payload(told["discord"]))
    assert_slack_takes(slack.payload(told["slack"]))
    assert_telegram_takes(telegram.payload(told["telegram"]))
    assert len(orjson.dumps(webhook.payload(told["webhook"])["data"]["execution"])) <= webhook.MAX_BYTES
    mail_server = MailServer("mail.example", 25, "s@example.org")
    assert written(replace(told["email"], id="msg_1"), mail_server, ["o@example.org"])
