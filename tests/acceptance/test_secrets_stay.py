"""A key that is known, a webhook's address and a token go in; after a payment and its message they are found nowhere:
not in the database, not in anything that Redis was told, not in a log, not on a page, not in an answer."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from pathlib import Path

import base58
import pytest
import redis
import requests
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from solders.keypair import Keypair

from accounts.actors import system
from accounts.services import default_team, token_create, user_ensure
from tests.executing import new_address
from tests.stack import PASSWORD, ApiClient, Stack
from tests.waiting import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

HOOK_TOKEN = "a-token-that-only-discord-and-we-know-0123456789"
PATIENCE_S = 60
PAGES = ("", "workflows/", "executions/", "signers/", "channels/", "notifications/", "audit/", "settings/", "team/")
LISTS = ("workflows", "executions", "signers", "channels", "deliveries", "audit", "subscriptions", "rpc-endpoints")


def spellings(secret: bytes) -> Iterator[bytes]:
    """Every way in which these bytes are likely to be written."""
    yield secret
    yield base58.b58encode(secret)
    for encode in (base64.b64encode, base64.urlsafe_b64encode, base64.b32encode):
        yield encode(secret).rstrip(b"=")
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for between in (",", ", "):
        yield between.join(map(str, secret)).encode()
    yield repr(secret)[2:-1].encode()


class Heard:
    """Everything that Redis is told while the block runs: cache, sessions, and the messages of Celery."""

    def __init__(self) -> None:
        self.client = redis.Redis.from_url(settings.REDIS_URL)
        self.said: list[bytes] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        wire = self.client.connection_pool.get_connection()
        wire.send_command("MONITOR")
        while not self._stopped.is_set():
            self.said.append(wire.read_response(timeout=PATIENCE_S))
        wire.disconnect()

    def __enter__(self) -> Heard:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.client.ping()
        self._thread.join(5)

    @property
    def text(self) -> bytes:
        return b"\n".join(self.said)


def everything_in_the_database() -> bytes:
    """Each row of each table as text, and each column of bytes as it is."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            cursor.execute(f'SELECT row::text FROM "{table}" row')
            found += [text.encode("utf-8", "replace") for (text,) in cursor.fetchall()]
            for column in (field.column for field in model._meta.fields if field.get_internal_type() == "BinaryField"):
                cursor.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL')
                found += [bytes(raw) for (raw,) in cursor.fetchall()]
    return b"\n".join(found)


def everything_in_redis() -> bytes:
    found = []
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for name in client.info("keyspace"):
            client.select(int(name.removeprefix("db")))
            for key in client.scan_iter():
                found += [key, client.dump(key) or b""]
    return b"\n".join(found)


def pages(stack: Stack, paths: list[str]) -> bytes:
    """What a browser of the admin is shown, the admin's own pages included."""
    with requests.Session() as browser:
        browser.get(f"{stack.url}/login/", timeout=PATIENCE_S)
        form = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post(f"{stack.url}/login/", form, timeout=PATIENCE_S).status_code == 200
        shown = []
        for path in paths:
            answer = browser.get(f"{stack.url}/{path}", timeout=PATIENCE_S)
            assert answer.status_code == 200, path
            shown.append(answer.content + str(answer.headers).encode())
    return b"\n".join(shown)


def test_no_secret_is_found_anywhere_after_it_was_used(stack: Stack, tmp_path: Path) -> None:
    key, to = Keypair(), new_address()
    stack.chain.airdrop(str(key.pubkey()), 10**9)
    user_ensure(username="admin", password=PASSWORD)
    user = get_user_model().objects.get(username="admin")
    token = token_create(actor=system(default_team(), "test"), user=user, name="known")[1]
    api = ApiClient(stack.url, token)
    with Heard() as heard:
        stack.start("web", "worker", "beat")
        signer = api.post("signers/", {"name": "known", "secret_key": list(bytes(key))})
        hook = {"webhook_url": stack.receiver.discord_url(token=HOOK_TOKEN)}
        channel = api.post("channels/", {"name": "ops", "type": "discord", "config": hook})
        workflow = api.post(
            "workflows/",
            {
                "name": "pays",
                "signer": signer["id"],
                "definition": {
                    "trigger": {"type": "manual"},
                    "actions": [{"type": "transfer_sol", "to": to, "lamports": 900_000}],
                    "notifications": [{"channel": channel["id"], "on": ["success", "failed"]}],
                },
            },
        )
        one = f"workflows/{workflow['id']}/"
        api.post(f"{one}enable/")
        started = api.post(f"{one}run/", {})["execution_id"]
        stack.receiver.wait_for_requests(1, PATIENCE_S)
        wait_for(lambda: stack.chain.balance(to) == 900_000, PATIENCE_S, "the payment has landed")
        # A refusal is where a secret would be repeated.
        refused = requests.post(
            f"{api.base}signers/",
            json={"name": "known", "secret_key": [*bytes(key)[:-1], 300]},
            headers=api.session.headers,
            timeout=PATIENCE_S,
        )
        again = requests.post(
            f"{api.base}channels/",
            json={"name": "x", "type": "discord", "config": {"webhook_url": hook["webhook_url"] + "#", "more": 1}},
            headers=api.session.headers,
            timeout=PATIENCE_S,
        )
        answers = [refused.content, again.content]
        for path in [
            *(f"{name}/" for name in LISTS),
            one,
            f"signers/{signer['id']}/",
            f"channels/{channel['id']}/",
            f"executions/{started}/",
        ]:
            answers.append(api.session.get(api.base + path, timeout=PATIENCE_S).content)
        admin = [
            "admin/workflows/signer/",
            f"admin/workflows/signer/{signer['id']}/change/",
            f"admin/workflows/channel/{channel['id']}/change/",
        ]
        seen = [
            *PAGES,
            f"executions/{started}/",
            one,
            f"channels/{channel['id']}/",
            f"channels/{channel['id']}/edit/",
            *admin,
            "metrics",
        ]
        places = {
            "the database": everything_in_the_database(),
            "Redis": everything_in_redis(),
            "a page": pages(stack, seen),
            "an answer": b"\n".join(answers),
        }
    places["what Redis was told"] = heard.text
    places["a log"] = b"\n".join(path.read_bytes() for path in tmp_path.rglob("*.log"))

    assert stack.receiver.requests[0].path.startswith("/api/webhooks/1/" + HOOK_TOKEN)
    assert (
        b"executions.advance" in places["what Redis was told"] and signer["address"].encode() in places["the database"]
    )
    secrets = {
        "the key": list(spellings(bytes(key))),
        "its seed": list(spellings(bytes(key)[:32])),
        "the webhook's token": list(spellings(HOOK_TOKEN.encode())),
        "the API token": list(spellings(token.encode())),
        "the password": [PASSWORD.encode()],
    }
    found = [
        f"{name} in {place}"
        for name, written in secrets.items()
        for place, text in places.items()
        if any(one in text for one in written)
    ]
    assert not found
