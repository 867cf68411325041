"""kombu keeps one Redis client a channel."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from kombu import Connection
from kombu.transport.redis import Channel

from solflow import broker_clients


def test_a_channel_keeps_its_client_as_long_as_its_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """kombu has the method that is replaced, and asks it for every command."""
    monkeypatch.setattr(Channel, "_create_client", Channel._create_client)
    broker_clients.keep()
    monkeypatch.setattr(Channel, "__init__", lambda self: None)
    channel = Channel()
    channel.__dict__["connection"] = Connection("redis://127.0.0.1:1")
    pools = {"now": SimpleNamespace(connection_kwargs={})}

    class Client:
        def __init__(self, connection_pool: object) -> None:
            self.connection_pool = connection_pool

    monkeypatch.setattr(Channel, "pool", property(lambda self: pools["now"]))
    monkeypatch.setattr(Channel, "Client", Client, raising=False)

    first = channel._create_client()

    assert channel._create_client() is first
    pools["now"] = SimpleNamespace(connection_kwargs={})
    assert channel._create_client() is not first
