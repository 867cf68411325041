"""Instructions of the memo programs: a text and who signed for it."""

from __future__ import annotations

from chain.decode.base import Decoded, Instruction

PROGRAMS = ("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr", "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo")


def decode(instruction: Instruction) -> Decoded:
    """The text; bytes that are no UTF-8 (the program refuses them) are shown as replacement characters."""
    return Decoded(
        "memo", "", {"text": instruction.data.decode(errors="replace"), "signers": list(instruction.accounts)}
    )
