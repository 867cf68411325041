"""Whether a document is an Anchor IDL that can be used. Pure.

Both formats: since Anchor 0.30 the program's address is in `address`, before it (if anywhere) in `metadata.address`.
Source: https://www.anchor-lang.com/docs/basics/idl
"""

from __future__ import annotations

import json
from typing import Any

from chain.decode.idl import InvalidIdl, parse_idl
from chain.types import SYSTEM_PROGRAM
from workflows.specs.errors import SpecError, SpecErrors

MAX_BYTES = 512 * 1024
MAX_DEPTH = 64
LISTS = ("instructions", "accounts", "events", "types", "errors", "constants")


def check_idl(document: Any) -> str | None:
    """The program's address where the document names one.

    Raises:
        SpecErrors: what keeps it from being an IDL; paths begin with `document`.
    """
    if not isinstance(document, dict):
        raise SpecErrors([SpecError("document", "not_an_idl", "must be a JSON object, the IDL itself")])
    if _depth(document) > MAX_DEPTH:
        raise SpecErrors([SpecError("document", "too_deep", f"must not be nested deeper than {MAX_DEPTH}")])
    if len(json.dumps(document, ensure_ascii=False).encode()) > MAX_BYTES:
        raise SpecErrors([SpecError("document", "too_large", f"must not be larger than {MAX_BYTES // 1024} KiB")])
    problems = [*_lists(document), *_instructions(document)]
    address = _address(document)
    if address is not None and not isinstance(address, str):
        problems.append(SpecError("document.address", "not_an_idl", "must be the program's address"))
    if problems:
        raise SpecErrors(problems)
    try:
        parse_idl(document, address or SYSTEM_PROGRAM)
    except InvalidIdl as error:
        path = f"document.{error.path}" if error.path else "document"
        raise SpecErrors([SpecError(path, "not_an_idl", error.detail)]) from error
    return address or None


def _address(document: dict[str, Any]) -> Any:
    metadata = document.get("metadata")
    old = metadata.get("address") if isinstance(metadata, dict) else None
    return document.get("address", old)


def _lists(document: dict[str, Any]) -> list[SpecError]:
    problems = [
        SpecError(f"document.{name}", "not_an_idl", "must be a list of objects with a name")
        for name in LISTS
        if name in document and not _named(document[name])
    ]
    if "instructions" not in document:
        problems.append(SpecError("document.instructions", "missing", "an Anchor IDL lists its instructions"))
    return problems


def _instructions(document: dict[str, Any]) -> list[SpecError]:
    instructions = document.get("instructions")
    if not _named(instructions):
        return []
    return [
        SpecError(f"document.instructions[{position}].{part}", "not_an_idl", "must be a list of objects with a name")
        for position, instruction in enumerate(instructions or ())
        for part in ("accounts", "args")
        if not _named(instruction.get(part))
    ]


def _named(items: Any) -> bool:
    return isinstance(items, list) and all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in items
    )


def _depth(document: Any) -> int:
    """How deep it is nested; level by level, because recursion has a bound of its own."""
    depth, level = 0, [document]
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            break
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        ]
    return depth
