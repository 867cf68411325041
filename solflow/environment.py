"""Which part is told what. Pure: mappings in, mappings out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from solflow.datadir import SUPERVISED, named

# What another command needs to work on the same databases and chain with the same secrets.
REMEMBERED = (
    "SOLFLOW_ENV",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "FIELD_ENCRYPTION_KEYS",
    "FIELD_ENCRYPTION_PUBLIC_KEY",
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_DIRECT_URL",
    "DATABASE_REPLICA_URL",
    "REDIS_URL",
    "CELERY_BROKER_URL",
    "SOLANA_RPC_URLS",
    "SOLANA_WS_URLS",
    "SOLANA_NETWORK",
    "OUTBOUND_ALLOWED_HOSTS",
    "SOLFLOW_INBOX",
    "FLOWER_URL",
)
WORKER_ONLY = ("FIELD_ENCRYPTION_KEYS",)
OWNER_ONLY = ("DATABASE_OWNER_URL",)


@dataclass(frozen=True)
class Ports:
    web: int
    rpc: int
    flower: int

    @property
    def websocket(self) -> int:
        """Beside the RPC port, as Solana's own validator has it."""
        return self.rpc + 1


def complete(environ: Mapping[str, str], ports: Ports) -> dict[str, str]:
    """`environ` (after datadir.complete_environment) with what follows from the ports: the chain, the inbox, Flower.

    The inbox exists in a local environment only; its own address becomes one that webhooks may reach.
    """
    full = {**environ, "PYTHONUNBUFFERED": "1"}
    if not named(environ, "SOLANA_RPC_URLS"):
        full["SOLANA_RPC_URLS"] = f"http://127.0.0.1:{ports.rpc}"
        full["SOLANA_WS_URLS"] = f"ws://127.0.0.1:{ports.websocket}"
    if not named(environ, "FLOWER_URL"):
        full["FLOWER_URL"] = f"http://127.0.0.1:{ports.flower}"
    if environ["SOLFLOW_ENV"] == "local":
        full["SOLFLOW_INBOX"] = "1"
        allowed = [host for host in environ.get("OUTBOUND_ALLOWED_HOSTS", "").split(",") if host]
        full["OUTBOUND_ALLOWED_HOSTS"] = ",".join([*allowed, f"127.0.0.1:{ports.web}"])
    return full


def for_worker(full: Mapping[str, str]) -> dict[str, str]:
    """Everything, the keys that open signers and channels included; not the database owner's password."""
    return {SUPERVISED: "1", **without(full, OWNER_ONLY)}


def for_others(full: Mapping[str, str]) -> dict[str, str]:
    """Web, beat, listener: nothing with which a signer's key could be opened."""
    return {SUPERVISED: "1", **without(full, OWNER_ONLY + WORKER_ONLY)}


def for_flower(full: Mapping[str, str], password: str) -> dict[str, str]:
    """Flower can stop workers, so it asks for a password although it listens on the loopback only."""
    return {**for_others(full), "FLOWER_BASIC_AUTH": f"admin:{password}"}


def for_servers(full: Mapping[str, str]) -> dict[str, str]:
    """PostgreSQL, Redis, the local chain: they know none of SolFlow's settings."""
    return without(full, REMEMBERED)


def to_remember(full: Mapping[str, str]) -> dict[str, str]:
    """What `datadir.complete_for_command` gives other commands, secrets named by file as the file's name."""
    names = [*REMEMBERED, *(f"{name}_FILE" for name in REMEMBERED)]
    return {name: full[name] for name in names if full.get(name)}


def without(full: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    hidden = {*names, *(f"{name}_FILE" for name in names)}
    return {name: value for name, value in full.items() if name not in hidden}
