"""Who is told what: only the worker can open keys, only migrations own tables, servers know nothing."""

from solflow import environment
from solflow.environment import Ports

PORTS = Ports(web=8000, rpc=8899, flower=5555)
GIVEN = {
    "SOLFLOW_ENV": "local",
    "PATH": "/bin",
    "SECRET_KEY": "k",
    "FIELD_ENCRYPTION_KEYS": "private",
    "FIELD_ENCRYPTION_KEYS_FILE": "/private",
    "FIELD_ENCRYPTION_PUBLIC_KEY": "public",
    "DATABASE_URL": "app",
    "DATABASE_OWNER_URL": "owner",
}


def full(**more: str) -> dict[str, str]:
    return environment.complete({**GIVEN, **more}, PORTS)


def test_only_the_worker_is_told_the_keys_that_open_secrets():
    told = {
        "worker": environment.for_worker(full()),
        "others": environment.for_others(full()),
        "flower": environment.for_flower(full(), "pw"),
        "servers": environment.for_servers(full()),
    }
    assert [name for name, env in told.items() if any(key.startswith("FIELD_ENCRYPTION_KEYS") for key in env)] == [
        "worker"
    ]


def test_no_part_is_told_the_password_of_the_tables_owner():
    for told in (environment.for_worker(full()), environment.for_others(full()), environment.for_servers(full())):
        assert "DATABASE_OWNER_URL" not in told


def test_servers_are_told_none_of_our_settings():
    assert set(environment.for_servers(full())) == {"PATH", "PYTHONUNBUFFERED"}


def test_the_local_chain_is_on_neighbouring_ports():
    assert full()["SOLANA_RPC_URLS"] == "http://127.0.0.1:8899"
    assert full()["SOLANA_WS_URLS"] == "ws://127.0.0.1:8900"


def test_a_chain_that_the_environment_names_stays_with_its_websocket():
    found = full(SOLANA_RPC_URLS="https://node.example", SOLANA_WS_URLS="wss://node.example")
    assert (found["SOLANA_RPC_URLS"], found["SOLANA_WS_URLS"]) == ("https://node.example", "wss://node.example")


def test_the_inbox_joins_the_hosts_that_webhooks_may_reach():
    assert full(OUTBOUND_ALLOWED_HOSTS="a.example")["OUTBOUND_ALLOWED_HOSTS"] == "a.example,127.0.0.1:8000"


def test_production_has_no_inbox():
    found = full(SOLFLOW_ENV="production")
    assert "SOLFLOW_INBOX" not in found
    assert "OUTBOUND_ALLOWED_HOSTS" not in found


def test_other_commands_are_told_everything_that_makes_the_installation():
    remembered = environment.to_remember(full())
    assert remembered["FIELD_ENCRYPTION_KEYS_FILE"] == "/private"
    assert remembered["DATABASE_OWNER_URL"] == "owner"
    assert "PATH" not in remembered
