"""kombu keeps one Redis client a channel, and a channel that was given up says so as a connection does."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from kombu import Connection
from kombu.transport.redis import Channel
from redis.exceptions import ConnectionError as RedisConnectionError

from solflow import broker_clients


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Channel:
    """A channel of a transport, with pools and clients that speak to nobody."""

    class Client:
        def __init__(self, connection_pool: object) -> None:
            self.connection_pool = connection_pool

    monkeypatch.setattr(Channel, "_create_client", Channel._create_client)
    broker_clients.keep()
    monkeypatch.setattr(Channel, "__init__", lambda self: None)
    monkeypatch.setattr(Channel, "pool", property(lambda self: self.__dict__["pool_now"]))
    monkeypatch.setattr(Channel, "Client", Client, raising=False)
    made = Channel()
    made.__dict__["connection"] = SimpleNamespace(client=Connection("redis://127.0.0.1:1"))
    made.__dict__["pool_now"] = SimpleNamespace(connection_kwargs={})
    return made


def test_a_channel_keeps_its_client_as_long_as_its_pool(channel: Channel) -> None:
    """kombu has the method that is replaced, and asks it for every command."""
    first = channel._create_client()

    assert channel._create_client() is first
    channel.__dict__["pool_now"] = SimpleNamespace(connection_kwargs={})
    assert channel._create_client() is not first


def test_a_channel_whose_connection_was_given_up_raises_what_celery_waits_for(channel: Channel) -> None:
    """Closed a second time while Redis is away: anything else would end the worker."""
    channel.connection.client = None

    with pytest.raises(RedisConnectionError):
        channel._create_client()
