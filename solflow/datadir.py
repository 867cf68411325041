"""The data directory of `manage.py up`, and how every other `manage.py` command finds what `up` made there.

    lock              held (flock, so it cannot go stale) by the one `up` that runs
    secrets.json      generated once, mode 0600
    environment.json  what the last `up` told its parts, mode 0600
    epoch             which database belongs here (solflow.epoch), mode 0600
    postgres/ redis/ chain/ run/ logs/

This module runs before Django's settings load and imports nothing of Django.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

from solflow import generated
from solflow.embedded.postgres import Postgres
from solflow.embedded.redis import Redis

DEFAULT = ".solflow"
# Set for the parts that `up` starts: they are told everything and must not look for more, the worker's keys least.
SUPERVISED = "SOLFLOW_SUPERVISED"


def complete_environment(argv: Sequence[str], environ: MutableMapping[str, str] = os.environ) -> None:
    """Give settings what the environment does not name; what it names stays.

    `up` takes the directory for itself (a second one ends here with one line) and gets generated secrets and the
    addresses of the embedded servers. Other commands get what the last `up` with the same directory used.
    """
    if SUPERVISED in environ or {"--help", "-h", "--version"} & set(argv):
        return
    directory = chosen(argv, environ)
    if argv[1:2] == ["up"]:
        prepare(directory)
        take(directory)
        complete_for_up(directory, environ)
    else:
        complete_for_command(directory, environ)


def chosen(argv: Sequence[str], environ: Mapping[str, str]) -> Path:
    """`--data-dir` (an option of `up` alone), or SOLFLOW_DATA_DIR, or `.solflow`; absolute."""
    named = environ.get("SOLFLOW_DATA_DIR") or DEFAULT
    if argv[1:2] == ["up"]:
        for position, word in enumerate(argv):
            if word == "--data-dir" and position + 1 < len(argv):
                named = argv[position + 1]
            elif word.startswith("--data-dir="):
                named = word.removeprefix("--data-dir=")
    return Path(named).absolute()


def prepare(directory: Path) -> None:
    """Make the directory, for its owner only, or end the process with one line that says why it cannot be used."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SystemExit(
            f"solflow: the data directory {directory} cannot be written ({error.strerror}); "
            "choose another with --data-dir or SOLFLOW_DATA_DIR"
        ) from error


_held: dict[Path, int] = {}


def take(directory: Path) -> None:
    """Hold the directory's lock until this process ends, however it ends; refuse when another process holds it."""
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode() or "unknown"
        os.close(descriptor)
        raise SystemExit(
            f"solflow: another `up` (process {holder}) is using the data directory {directory}; "
            "stop it, or choose another with --data-dir"
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    _held[directory] = descriptor


def complete_for_up(directory: Path, environ: MutableMapping[str, str]) -> None:
    """Secrets are generated at the first start; the embedded servers' addresses follow from them and the directory."""
    kept = directory / "secrets.json"
    if (directory / "postgres").exists() and not kept.exists():
        raise SystemExit(f"solflow: {kept} is missing, without it the databases beside it cannot be opened; restore it")
    secrets = generated.load_or_generate(kept)
    environ["SOLFLOW_DATA_DIR"] = str(directory)
    default(environ, "SOLFLOW_ENV", "local")
    default(environ, "SECRET_KEY", secrets.secret_key)
    if not (named(environ, "FIELD_ENCRYPTION_KEYS") or named(environ, "FIELD_ENCRYPTION_PUBLIC_KEY")):
        environ["FIELD_ENCRYPTION_KEYS"] = secrets.field_encryption_key
        environ["FIELD_ENCRYPTION_PUBLIC_KEY"] = secrets.field_encryption_public_key
    if not named(environ, "DATABASE_URL"):
        postgres = Postgres(directory, secrets)
        environ["DATABASE_URL"] = postgres.application_url
        environ["DATABASE_OWNER_URL"] = postgres.owner_url
    if not named(environ, "REDIS_URL"):
        redis = Redis(directory, secrets)
        environ["REDIS_URL"] = redis.url
        default(environ, "CELERY_BROKER_URL", redis.broker_url)


def complete_for_command(directory: Path, environ: MutableMapping[str, str]) -> None:
    """What the last `up` used, unless this command was told another SOLFLOW_ENV: then they are not one installation."""
    try:
        remembered: dict[str, str] = json.loads((directory / "environment.json").read_bytes())
    except FileNotFoundError:
        return
    except OSError as error:
        raise SystemExit(f"solflow: the data directory {directory} cannot be read ({error.strerror})") from error
    if environ.get("SOLFLOW_ENV", remembered["SOLFLOW_ENV"]) != remembered["SOLFLOW_ENV"]:
        return
    environ["SOLFLOW_DATA_DIR"] = str(directory)
    # A command that names its own database must not meet the owner role, the broker or the keys of another.
    for leader, followers in TOGETHER.items():
        if named(environ, leader):
            for follower in followers:
                remembered.pop(follower, None)
    for name, value in remembered.items():
        default(environ, name, value)


TOGETHER: Mapping[str, Sequence[str]] = {
    "DATABASE_URL": ("DATABASE_OWNER_URL", "DATABASE_DIRECT_URL", "DATABASE_REPLICA_URL"),
    "REDIS_URL": ("CELERY_BROKER_URL",),
    "SOLANA_RPC_URLS": ("SOLANA_WS_URLS", "SOLANA_NETWORK"),
    "FIELD_ENCRYPTION_KEYS": ("FIELD_ENCRYPTION_PUBLIC_KEY",),
    "FIELD_ENCRYPTION_PUBLIC_KEY": ("FIELD_ENCRYPTION_KEYS",),
}


def remember(directory: Path, environment: Mapping[str, str]) -> None:
    """Write down what `up` tells its parts; a reader sees the old file or the new one, never half of one."""
    generated.write_private(directory / "environment.json", json.dumps(dict(environment), indent=1))


def named(environ: Mapping[str, str], name: str) -> bool:
    """Whether the environment says `name`, by value or by the path of a file (solflow/env.py)."""
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))


def default(environ: MutableMapping[str, str], name: str, value: str) -> None:
    if not named(environ, name):
        environ[name] = value
