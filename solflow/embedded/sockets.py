"""Where the servers' Unix sockets lie. Sockets need no free port, so addresses stay the same over every restart."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from solflow.embedded.errors import EmbeddedError

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
LONGEST_SOCKET_PATH_BYTES = 103
LONGEST_SOCKET_NAME = "postgres/.s.PGSQL.5432"
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - the name below is checked to be this user's own


def socket_folder(data_dir: Path) -> Path:
    """`run` in the data directory, or, where that path is too long for a socket, a folder in /tmp named after it."""
    inside = data_dir / "run"
    if len(os.fsencode(inside / LONGEST_SOCKET_NAME)) <= LONGEST_SOCKET_PATH_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return SHORT_FOLDER / f"solflow-{os.getuid()}-{digest}"


def make_socket_folder(data_dir: Path) -> Path:
    """Make `socket_folder`, for this user only; in /tmp somebody else may have taken the name: then it is refused."""
    folder = socket_folder(data_dir)
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EmbeddedError(f"{folder} belongs to somebody else or is open to others; remove it")
    return folder


def remove_socket_folder(data_dir: Path) -> None:
    """Leave nothing in /tmp once the servers have stopped; a folder in the data directory stays."""
    folder = socket_folder(data_dir)
    if folder.parent == SHORT_FOLDER and folder.exists():
        shutil.rmtree(folder)
