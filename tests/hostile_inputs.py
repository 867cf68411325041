"""What nobody sends who means well. Each is refused with a clear 4xx and changes nothing (api/test_hostile_inputs)."""

from __future__ import annotations

from typing import Any

ADDRESS = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"
HUGE = 10**40
DEEP: Any = "x"
for _ in range(200):
    DEEP = {"all": [DEEP]}

# Where a webhook would be sent to: inner addresses in every spelling, other schemes, credentials, tricks of parsing.
URLS = [
    *(
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
    ),
    *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/"),
    *("https://017700000001/", "https://0/", "https://0.0.0.0/", "https://localhost/", "https://LOCALHOST./"),
    *(
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
    ),
    *("https://[64:ff9b::7f00:1]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fc00::1]/"),
    *("https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/", "https://198.18.0.1/"),
    *("https://169.254.169.254/latest/meta-data/", "https://[fd00:ec2::254]/", "https://metadata.google.internal/"),
    *(
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://240.0.0.1/",
        "https://[ff02::1]/",
        "https://[2002:7f00:1::]/",
    ),
    *("https://user:secret@example.com/", "https://user@example.com/", "https://example.com@127.0.0.1/"),
    *("https://example.com\\@127.0.0.1/", "https://127.0.0.1#@example.com/", "https://exa mple.com/", "https://"),
    *(
        "https:///path",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:abc/",
        "//example.com/",
    ),
    *(
        "https://exam\nple.com/",
        "https://example.com/\r\nX-A: b",
        "https://example.com/\x00",
        "https://ⓔⓧample.com\u3002com/",
    ),
    *("https://" + "a" * 300 + ".com/", "https://example.com/" + "a" * 5000, "", " ", None, 1, [], {}, True),
]

DISCORD_URLS = [
    *(
        "https://discord.com.evil.example/api/webhooks/1/x",
        "https://evil.example/api/webhooks/1/x",
        "https://discord.com/",
    ),
    *("https://discord.com@evil.example/api/webhooks/1/x", "https://xdiscord.com/api/webhooks/1/x"),
    *(
        "http://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123",
        "https://discord.com/api/webhooks/../x",
    ),
    *("https://discord.com:8443/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123",),
    *("https://discord.com/api/webhooks/123456789012345678/abc\ndef", "https://discord.com/api/webhooks/-1/x"),
]

LAMPORTS = [
    0,
    -1,
    1.5,
    2**64,
    HUGE,
    "1.5",
    "1e9 SOL",
    "NaN SOL",
    "Infinity SOL",
    "-1 SOL",
    "0.0000000001 SOL",
    "१ SOL",
    None,
    True,
    [],
    {},
    "0x10",
    "1 sol sol",
    "",
    " ",
]

ADDRESSES = [
    "",
    "x",
    "1" * 31,
    "1" * 45,
    ADDRESS + "\x00",
    ADDRESS[:-1] + "0",
    ADDRESS[:-1] + "O",
    " " + ADDRESS,
    ADDRESS + "\n",
    None,
    1,
    [],
    {"a": 1},
    "l" * 43,
    "９" * 44,
]

# Each a template of a memo.
TEMPLATES = [
    *("{{", "{{ }}", "{{ event", "{{ __import__('os') }}", "{{ ().__class__.__mro__ }}"),
    *("{{ 1/2 }}", "{{ 1.5 }}", "{{ 9**9**9 }}", "{{ [1]*10 }}"),
    *("{{ lambda: 1 }}", "{{ open('/etc/passwd') }}", "{{ event.slot if 1 else 2 }}", "{{ {} }}", "{{ f'{1}' }}"),
    *(
        "{{ secrets }}",
        "{{ config.SECRET_KEY }}",
        "{{ min() }}",
        "{{ max(event) and exec('1') }}",
        "{{ event.slot; 1 }}",
    ),
    *("{% for x in y %}{% endfor %}{{ x }}", "{{ " + "(" * 500 + "1" + ")" * 500 + " }}", "{{ " + "-" * 3000 + "1 }}"),
    *("{{ " + "1+" * 5000 + "1 }}", "\x00", "\ud800", "x" * 100_000),
]

# Each a regular expression of a condition.
PATTERNS = [
    "(",
    "[",
    "*",
    "(?P<",
    "\\",
    "(?<=a)b",
    "(a)\\1",
    "(?=a)",
    "a{1001}",
    "(?:" * 2000,
    "x" * 20_000,
    "\x00",
    None,
    1,
    [],
    "[[:nothing:]]",
    "\\p{Nothing}",
]

CONDITIONS = [
    *({}, [], "x", 1, {"all": "x"}, {"any": {}}, {"not": []}, {"all": [None]}, {"field": "event.slot"}, DEEP),
    {"field": "event.slot", "op": "eq"},
    {"field": "event.slot", "op": "is", "value": 1},
    {"field": "__class__", "op": "eq", "value": 1},
    {"field": "", "op": "eq", "value": 1},
    {"field": "event.slot", "op": "eq", "value": {}},
    {"field": "event.slot", "op": "in", "value": "x"},
    {"field": "event.slot", "op": "in", "value": list(range(100_000))},
    {"field": "event.owner", "op": "in_list", "value": "not-an-id"},
    {"field": "event.owner", "op": "in_list", "value": "00000000-0000-4000-8000-000000000000"},
    {"field": "event.slot", "op": "eq", "value": 1, "extra": 1},
    {"all": [], "any": []},
    {"field": "event.slot", "op": "gt", "value": 1.5e308},
]

TRIGGERS = [
    *(
        None,
        [],
        "manual",
        {},
        {"type": None},
        {"type": "nothing"},
        {"type": "manual", "extra": 1},
        {"type": "__class__"},
    ),
    {"type": "schedule"},
    {"type": "schedule", "cron": "* * * *"},
    {"type": "schedule", "cron": "99 * * * *"},
    {"type": "schedule", "cron": "* * * * * * * *"},
    {"type": "schedule", "cron": "*/0 * * * *"},
    {"type": "schedule", "cron": "0 0 30 2 *"},
    {"type": "schedule", "cron": "* * * * *", "timezone": "../../etc/passwd"},
    {"type": "schedule", "cron": "* * * * *", "timezone": "Mars/Olympus"},
    {"type": "schedule", "cron": "* * * * *", "missed": "maybe"},
    {"type": "webhook", "auth": "none"},
    {"type": "balance_change"},
    {"type": "balance_change", "address": ADDRESS, "direction": "sideways"},
    {"type": "balance_change", "address": ADDRESS, "min_change": HUGE},
    {"type": "program_account_change", "program_id": ADDRESS, "memcmp": [{"offset": -1, "bytes": "1"}]},
    {"type": "program_account_change", "program_id": ADDRESS, "memcmp": [{"offset": 0, "bytes": "0OIl"}]},
    {"type": "program_account_change", "program_id": ADDRESS, "data_size": -1},
    {"type": "program_log", "program_id": ADDRESS, "pattern": "("},
    {"type": "program_log", "program_id": ADDRESS, "pattern": "(a)\\1"},
    {"type": "transaction_status", "signature": "x"},
    {"type": "token_receipt"},
]

# Bodies that are no JSON, or none that could be kept.
RAW = [
    *(
        b"",
        b" ",
        b"{",
        b"}",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"true",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"\xff\xfe\x00",
        b"\x00",
    ),
    *(
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": -Infinity}',
        b'{"name": 1e999}',
        b'{"name": "a", "name": "b"}',
    ),
    *(
        b'{"name": "\\u0000"}',
        b'{"name": "\\ud800"}',
        b'{"\\ud800": 1}',
        b"[" * 50_000,
        b'{"a":' * 50_000,
        b"\xef\xbb\xbf{}",
    ),
    *(
        b'{"name": ' + b"9" * 5000 + b"}",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a/>",
    ),
]

IDS = [
    "0",
    "-1",
    "x",
    "None",
    "null",
    "../etc/passwd",
    "%2e%2e%2f",
    "%00",
    "1' OR '1'='1",
    "00000000-0000-0000-0000-00000000000g",
    "A" * 500,
    "{id}",
    "𝟘",
    "00000000000000000000000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    str(HUGE),
]

CURSORS = [
    "x",
    "%00",
    "\x00",
    "-1",
    str(HUGE),
    "eyJpZCI6MX0",
    "' OR 1=1",
    "[]",
    "null",
    "=" * 100,
    "A" * 10_000,
    "\ud7ff",
    "AAAA",
    "WzFd",
    "bnVsbA==",
]
