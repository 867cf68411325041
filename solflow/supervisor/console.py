"""The output of all parts on one terminal, each line with its part's name, and each part's own log file."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

COLOURS = ("36", "32", "33", "35", "34", "96", "92", "93", "95", "94")
LOG_FILE_BYTES = 5_000_000
OLDER_LOG_FILES = 1


class Console:
    """Writes `name | line`. A terminal that went away silences it; the log files go on."""

    def __init__(self, names: Iterable[str], logs: Path, stream: TextIO = sys.stdout, coloured: bool = False) -> None:
        self._stream: TextIO | None = stream
        self._logs = logs
        self._files: dict[str, logging.handlers.RotatingFileHandler] = {}
        listed = list(names)
        self._width = max(map(len, listed))
        self._colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(listed)} if coloured else {}
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)

    def say(self, name: str, line: str) -> None:
        """One line of the part `name`, on the terminal and at the end of `<logs>/<name>.log` (bounded)."""
        self._file(name).emit(logging.makeLogRecord({"msg": line}))
        prefix = f"{name:<{self._width}} |"
        if name in self._colours:
            prefix = f"\x1b[{self._colours[name]}m{prefix}\x1b[0m"
        self.show(f"{prefix} {line}")

    def show(self, text: str) -> None:
        """Text for the terminal alone."""
        if self._stream is None:
            return
        try:
            self._stream.write(f"{text}\n")
            self._stream.flush()
        except OSError:
            self._stream = None

    def _file(self, name: str) -> logging.handlers.RotatingFileHandler:
        if name not in self._files:
            self._files[name] = logging.handlers.RotatingFileHandler(
                self._logs / f"{name}.log", maxBytes=LOG_FILE_BYTES, backupCount=OLDER_LOG_FILES, encoding="utf-8"
            )
        return self._files[name]
