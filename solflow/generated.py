"""The secrets that `up` generates at its first start and keeps, mode 0600."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from nacl.public import PrivateKey


@dataclass(frozen=True, repr=False)
class Secrets:
    """Passwords are URL-safe. The field encryption keys are the two halves of an X25519 pair, in base64."""

    secret_key: str
    field_encryption_key: str
    field_encryption_public_key: str
    admin_password: str
    postgres_superuser_password: str
    postgres_owner_password: str
    postgres_application_password: str
    redis_password: str


def generate() -> Secrets:
    private_key = PrivateKey.generate()
    return Secrets(
        secret_key=secrets.token_urlsafe(50),
        field_encryption_key=base64.b64encode(bytes(private_key)).decode(),
        field_encryption_public_key=base64.b64encode(bytes(private_key.public_key)).decode(),
        admin_password=secrets.token_urlsafe(15),
        postgres_superuser_password=secrets.token_urlsafe(24),
        postgres_owner_password=secrets.token_urlsafe(24),
        postgres_application_password=secrets.token_urlsafe(24),
        redis_password=secrets.token_urlsafe(24),
    )


def load_or_generate(path: Path) -> Secrets:
    """The secrets kept in `path`; the first call writes them before it returns, so that nothing uses a lost one.

    A file that is damaged is never replaced: what it sealed could not be opened again.
    """
    if not path.exists():
        write_private(path, json.dumps(asdict(generate()), indent=1))
    try:
        stored = json.loads(path.read_bytes())
        return Secrets(**{field.name: str(stored[field.name]) for field in fields(Secrets)})
    except OSError as error:
        raise SystemExit(f"solflow: {path} cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError):
        raise SystemExit(
            f"solflow: {path} is damaged; restore it from a backup, or start afresh with another --data-dir"
        ) from None


def write_private(path: Path, text: str) -> None:
    """Replace `path` atomically with a file that only its owner can read, on disk when this returns."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
