"""Reading the bytes and accounts of one instruction."""

from __future__ import annotations

from collections.abc import Sequence

from solders.pubkey import Pubkey


class NotParsableError(Exception):
    """The instruction is not what its program expects, or is not known here; it is shown unparsed."""


class InstructionReader:
    """Walks through an instruction's data; every step raises NotParsableError where the bytes or accounts end early."""

    def __init__(self, data: bytes, accounts: Sequence[str]) -> None:
        self._data = data
        self._offset = 0
        self._accounts = accounts

    def account(self, index: int) -> str:
        """The address of the instruction's n-th account."""
        if index >= len(self._accounts):
            raise NotParsableError
        return self._accounts[index]

    def accounts_from(self, index: int) -> list[str]:
        """The addresses from the n-th account on; may be none."""
        return list(self._accounts[index:])

    def named(self, *names: str) -> dict[str, str]:
        """The first accounts under their names."""
        return {name: self.account(index) for index, name in enumerate(names)}

    def _take(self, size: int) -> bytes:
        taken = self._data[self._offset : self._offset + size]
        if len(taken) != size:
            raise NotParsableError
        self._offset += size
        return taken

    @property
    def at_end(self) -> bool:
        """Whether all data has been read."""
        return self._offset >= len(self._data)

    def unsigned(self, size: int) -> int:
        """A little-endian unsigned integer of so many bytes."""
        return int.from_bytes(self._take(size), "little")

    def key(self) -> str:
        """An address."""
        return str(Pubkey(self._take(32)))

    def optional_key(self) -> str | None:
        """An address behind a one-byte option tag."""
        return self.key() if self.unsigned(1) else None

    def text(self) -> str:
        """A string behind an eight-byte length."""
        try:
            return self._take(self.unsigned(8)).decode()
        except UnicodeDecodeError:
            raise NotParsableError from None

    def rest_as_text(self) -> str:
        """All data that is left, as UTF-8."""
        try:
            return self._data[self._offset :].decode()
        except UnicodeDecodeError:
            raise NotParsableError from None
