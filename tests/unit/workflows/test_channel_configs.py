"""What a channel's config may be, and what is shown of it."""

from __future__ import annotations

import pytest

from executions.channels.registry import CHANNELS
from workflows.specs.channels import SERVED, validate_config
from workflows.specs.errors import SpecErrors
from workflows.specs.hosts import is_allowed

TOKEN = "hUnTeR2_-" * 7 + "wXyZ"
URL = f"https://discord.com/api/webhooks/123456789012345678/{TOKEN}"

# Each tries to pass for Discord, or to reach something inside.
HOSTILE_URLS = [
    "",
    " ",
    "discord.com/api/webhooks/1/token",
    "//discord.com/api/webhooks/1/token",
    "ftp://discord.com/api/webhooks/1/token",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "javascript:alert(1)",
    "data:text/plain,hello",
    "http://discord.com/api/webhooks/1/token",
    "https://discord.com:8443/api/webhooks/1/token",
    "https://discord.com:80/api/webhooks/1/token",
    "https://discord.com:0/api/webhooks/1/token",
    "https://discord.com:99999/api/webhooks/1/token",
    "https://discord.com:/api/webhooks/1/token",
    "https://discord.com:port/api/webhooks/1/token",
    "https://discord.com/",
    "https://discord.com/api/webhooks/",
    "https://discord.com/api/webhooks/1",
    "https://discord.com/api/webhooks/one/token",
    "https://discord.com/api/webhooks/1/token/slack",
    "https://discord.com/api/webhooks/1/token/../../users/@me",
    "https://discord.com/api/webhooks/1/%2e%2e%2f",
    "https://discord.com/api/users/@me",
    "https://discord.com/api/webhooks/1/token#fragment",
    "https://discord.com/api/webhooks/1/token?redirect=https://evil.example",
    "https://discord.com/api/webhooks/1/token?thread_id=abc",
    "https://discord.com/api/webhooks/1/to ken",
    "https://discord.com/api/webhooks/1/tok\nen",
    "https://discord.com/api/webhooks/1/tok\ten",
    "https://discord.com/api/webhooks/1/tok\x00en",
    "https://discord.com/api/webhooks/1/tokén",
    "https://discord.com\r\nHost: evil.example/api/webhooks/1/token",
    "https://discord.com.evil.example/api/webhooks/1/token",
    "https://evil.example/discord.com/api/webhooks/1/token",
    "https://notdiscord.com/api/webhooks/1/token",
    "https://discord.com-evil.example/api/webhooks/1/token",
    "https://evil.discord.com/api/webhooks/1/token",
    "https://discord.gg/api/webhooks/1/token",
    "https://discordapp.net/api/webhooks/1/token",
    "https://dіscord.com/api/webhooks/1/token",  # a Cyrillic i
    "https://discord。com/api/webhooks/1/token",  # an ideographic full stop
    "https://xn--dscord-q2a.com/api/webhooks/1/token",
    "https://discord.com@evil.example/api/webhooks/1/token",
    "https://user:password@discord.com/api/webhooks/1/token",
    "https://evil.example\\@discord.com/api/webhooks/1/token",
    "https://discord.com\\.evil.example/api/webhooks/1/token",
    "https://evil.example#@discord.com/api/webhooks/1/token",
    "https://evil.example?@discord.com/api/webhooks/1/token",
    "https:discord.com/api/webhooks/1/token",
    "https:///discord.com/api/webhooks/1/token",
    "https://[discord.com]/api/webhooks/1/token",
    "https://127.0.0.1/api/webhooks/1/token",
    "https://localhost/api/webhooks/1/token",
    "http://127.1/api/webhooks/1/token",
    "http://2130706433/api/webhooks/1/token",
    "http://0x7f000001/api/webhooks/1/token",
    "http://0177.0.0.1/api/webhooks/1/token",
    "http://0/api/webhooks/1/token",
    "http://[::1]/api/webhooks/1/token",
    "http://[::ffff:127.0.0.1]/api/webhooks/1/token",
    "http://[fe80::1%25eth0]/api/webhooks/1/token",
    "http://[::1/api/webhooks/1/token",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://10.0.0.1/api/webhooks/1/token",
    "http://192.168.1.1/api/webhooks/1/token",
    "https://localhost.discord.com/api/webhooks/1/token",
    "https://" + "a" * 3000 + ".com/api/webhooks/1/token",
    "https://discord.com/api/webhooks/1/" + "t" * 3000,
    "https://.discord.com/api/webhooks/1/token",
    "https://discord..com/api/webhooks/1/token",
    "https://-discord.com/api/webhooks/1/token",
    "https://stub.example:9001/api/webhooks/1/token",
    "https://stub.example/api/webhooks/1/token",
    "https://stub.example:9000@evil.example/api/webhooks/1/token",
    "https://evil.example/?stub.example:9000",
]


def config_of(url: object) -> dict[str, object]:
    return {"webhook_url": url}


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused_and_no_error_repeats_its_path(url: str) -> None:
    with pytest.raises(SpecErrors) as refused:
        validate_config("discord", config_of(url), allowed_hosts=["stub.example:9000"])
    (error,) = refused.value.errors
    assert error.path == "config.webhook_url"
    assert "webhooks/1" not in error.detail


def test_the_list_of_hostile_urls_is_long_enough_to_mean_something() -> None:
    assert len(set(HOSTILE_URLS)) >= 60


@pytest.mark.parametrize("value", [1, True, 1.5, [], {}, b"https://discord.com"])
def test_a_url_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(SpecErrors):
        validate_config("discord", config_of(value))


@pytest.mark.parametrize("config", [None, [], "https://discord.com/api/webhooks/1/t", {}, {"webhook_url": None}])
def test_a_config_without_a_url_is_refused(config: object) -> None:
    with pytest.raises(SpecErrors):
        validate_config("discord", config)


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(SpecErrors) as refused:
        validate_config("discord", {"webhook_url": URL, "webhok": 1})
    assert [error.path for error in refused.value.errors] == ["config.webhok"]


@pytest.mark.parametrize("host", ["discord.com", "discordapp.com", "ptb.discord.com", "canary.discordapp.com"])
@pytest.mark.parametrize("version", ["", "v10/"])
def test_each_of_discords_hosts_is_taken_over_https(host: str, version: str) -> None:
    url = f"https://{host}/api/{version}webhooks/1/{TOKEN}"
    assert validate_config("discord", config_of(url)).secret == config_of(url)


def test_host_in_capitals_final_slash_and_wait_are_normalised_and_the_thread_stays() -> None:
    checked = validate_config(
        "discord", config_of(f"HTTPS://Discord.com:443/api/webhooks/1/{TOKEN}/?thread_id=5&wait=1")
    )
    assert checked.secret == config_of(f"https://discord.com/api/webhooks/1/{TOKEN}?thread_id=5")


@pytest.mark.parametrize("url", ["http://stub.example:9000/any/path?x=1", "https://stub.example:9000/hook"])
def test_a_host_that_is_allowed_may_have_any_path_and_http(url: str) -> None:
    assert validate_config("discord", config_of(url), allowed_hosts=["stub.example:9000"]).secret == config_of(url)


def test_only_the_host_and_the_last_four_characters_are_shown() -> None:
    checked = validate_config("discord", config_of(URL))
    assert checked.shown == {"webhook_url": "discord.com/…wXyZ"}
    assert TOKEN not in repr(checked)


def test_a_masked_value_that_comes_back_leaves_the_secret() -> None:
    shown = validate_config("discord", config_of(URL)).shown
    again = validate_config("discord", dict(shown), shown=shown)
    assert again.secret is None
    assert again.shown == shown


def test_the_mask_of_another_channel_is_not_taken_for_a_url() -> None:
    with pytest.raises(SpecErrors):
        validate_config("discord", {"webhook_url": "discord.com/…aaaa"}, shown={"webhook_url": "discord.com/…bbbb"})


@pytest.mark.parametrize("kind", ["carrier pigeon", ""])
def test_a_kind_that_cannot_be_sent_to_is_refused_by_name(kind: str) -> None:
    with pytest.raises(SpecErrors) as refused:
        validate_config(kind, {})
    assert refused.value.errors[0].path == "type"
    assert "discord" in refused.value.errors[0].detail


def test_every_kind_that_may_be_made_can_be_sent_to() -> None:
    assert set(CHANNELS) == set(SERVED)


@pytest.mark.parametrize(
    ("host", "port", "entry", "allowed"),
    [
        ("127.0.0.1", 9000, "127.0.0.1:9000", True),
        ("127.0.0.1", 9001, "127.0.0.1:9000", False),
        ("127.0.0.1", 9001, "127.0.0.1", True),
        ("Inbox.Local.", 80, "inbox.local", True),
        ("inbox.local", 80, "box.local", False),
        ("x.inbox.local", 80, "inbox.local", False),
        ("::1", 80, "[::1]:80", True),
        ("::1", 80, "::1", True),
        ("::1", 81, "[::1]:80", False),
        ("[::1]", 81, "[::1]", True),
        ("127.0.0.1", 9000, "127.0.0.1:9000:9000", False),
        ("127.0.0.1", 9000, "127.0.0.1:", False),
        ("127.0.0.1", 9000, "", False),
    ],
)
def test_an_allowed_host_is_matched_whole_with_its_port_where_it_names_one(
    host: str, port: int, entry: str, allowed: bool
) -> None:
    assert is_allowed(host, port, [entry]) is allowed


BOT_TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz0123456"
WRONG = [
    ("slack", {"webhook_url": "https://hooks.slack.com.evil.example/services/T/B/x"}, "webhook_url"),
    ("slack", {"webhook_url": "https://hooks.slack.com/"}, "webhook_url"),
    ("slack", {"webhook_url": "http://hooks.slack.com/services/T/B/x"}, "webhook_url"),
    ("slack", {"webhook_url": "https://hooks.slack.com/services/T/B/x?to=evil"}, "webhook_url"),
    ("telegram", {"bot_token": BOT_TOKEN}, "chat_id"),
    ("telegram", {"chat_id": "5"}, "bot_token"),
    ("telegram", {"bot_token": "no token", "chat_id": "5"}, "bot_token"),
    ("telegram", {"bot_token": BOT_TOKEN, "chat_id": "five"}, "chat_id"),
    ("telegram", {"bot_token": BOT_TOKEN, "chat_id": True}, "chat_id"),
    ("telegram", {"bot_token": BOT_TOKEN, "chat_id": "5", "api_url": "http://127.0.0.1:8081"}, "api_url"),
    ("telegram", {"bot_token": BOT_TOKEN, "chat_id": "5", "thread_id": -1}, "thread_id"),
    ("email", {}, "to"),
    ("email", {"to": []}, "to"),
    ("email", {"to": ["no address"]}, "to"),
    ("email", {"to": ["a@example.com\r\nRCPT TO:<b@example.com>"]}, "to"),
    ("email", {"to": ["a@example.com>"]}, "to"),
    ("email", {"to": [f"a{n}@example.com" for n in range(21)]}, "to"),
    ("webhook", {}, "url"),
    ("webhook", {"url": "http://example.com/hook"}, "url"),
    ("webhook", {"url": "https://user:password@example.com/hook"}, "url"),
    ("webhook", {"url": "https://10.0.0.1/hook"}, "url"),
    ("webhook", {"url": "https://127.1/hook"}, "url"),
    ("webhook", {"url": "https://2130706433/hook"}, "url"),
    ("webhook", {"url": "https://0x7f.1/hook"}, "url"),
    ("webhook", {"url": "https://localhost/hook"}, "url"),
    ("webhook", {"url": "https://metadata.google.internal/"}, "url"),
    ("webhook", {"url": "https://[::ffff:10.0.0.1]/"}, "url"),
    ("webhook", {"url": "https://example.com/", "secret": "short"}, "secret"),
    ("webhook", {"url": "https://example.com/", "secret": "whsec_AAAA"}, "secret"),
    ("discord", {"webhook_url": URL, "username": "Discord bot"}, "username"),
    ("discord", {"webhook_url": URL, "username": "everyone"}, "username"),
    ("discord", {"webhook_url": URL, "username": "x" * 81}, "username"),
    ("discord", {"webhook_url": URL, "avatar_url": "http://10.0.0.1/a.png"}, "avatar_url"),
    ("discord", {"webhook_url": URL, "thread_id": "a thread"}, "thread_id"),
]


@pytest.mark.parametrize(("kind", "config", "key"), WRONG)
def test_a_wrong_value_is_named_and_not_repeated(kind: str, config: dict[str, object], key: str) -> None:
    with pytest.raises(SpecErrors) as refused:
        validate_config(kind, config)
    (error,) = refused.value.errors
    assert error.path == f"config.{key}"
    assert BOT_TOKEN not in error.detail and "password" not in error.detail.replace("user name or password", "")


def test_a_webhook_without_a_secret_gets_one_and_shows_its_end() -> None:
    checked = validate_config("webhook", {"url": "https://example.com/hook"})
    assert checked.made_secret == checked.signing_secret is not None
    assert checked.shown == {"url": "example.com/…hook", "secret": f"whsec_…{checked.made_secret[-4:]}"}
    assert checked.made_secret not in repr(checked)


def test_one_of_two_secrets_is_changed_alone() -> None:
    shown = validate_config("webhook", {"url": "https://example.com/hook"}).shown
    url = validate_config("webhook", {"url": "https://example.org/new"}, shown=shown)
    assert (url.secret, url.signing_secret) == ({"url": "https://example.org/new"}, None)
    secret = validate_config("webhook", {"url": shown["url"], "secret": "whsec_" + "QUJD" * 10}, shown=shown)
    assert (secret.secret, secret.signing_secret) == (None, "whsec_" + "QUJD" * 10)


def test_what_is_no_secret_is_changed_without_it() -> None:
    shown = validate_config("telegram", {"bot_token": BOT_TOKEN, "chat_id": "5"}).shown
    changed = validate_config("telegram", {"bot_token": shown["bot_token"], "chat_id": "@ops_room"}, shown=shown)
    assert (changed.secret, changed.shown["chat_id"]) == (None, "@ops_room")


def test_a_bots_token_is_not_led_to_another_server_by_somebody_who_does_not_know_it() -> None:
    shown = validate_config("telegram", {"bot_token": BOT_TOKEN, "chat_id": "5"}).shown
    elsewhere = {**shown, "api_url": "https://evil.example"}
    with pytest.raises(SpecErrors) as refused:
        validate_config("telegram", elsewhere, shown=shown)
    assert refused.value.errors[0].path == "config.bot_token"
    assert validate_config("telegram", {**elsewhere, "bot_token": BOT_TOKEN}, shown=shown).secret


def test_a_telegram_topic_and_a_discord_thread_are_kept_as_they_are_sent() -> None:
    telegram = validate_config("telegram", {"bot_token": BOT_TOKEN, "chat_id": -100123, "thread_id": "7"}).shown
    assert (telegram["chat_id"], telegram["thread_id"]) == ("-100123", 7)
    discord = validate_config("discord", {"webhook_url": URL, "thread_id": 1234567890123456789}).shown
    assert discord["thread_id"] == "1234567890123456789"
