"""The document by which workflows travel from one installation to another: its format, and the ids in it. Pure.

    {"solflow": 1, "exported_at": …, "network": …, "genesis_hash": …,
     "workflows": [{settings, "definition", "draft", "signer"}, …],
     "signers": […], "channels": […], "address_lists": […], "idls": […]}

Beside the workflows stand the rows that they name by id. Address lists and IDLs are whole, so that they can be made
where they do not exist; signers and channels hold secrets, which no export does, so only what they are called is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from workflows.specs.documents import MAX_DEPTH
from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.fields import Address, canonical_id, unique
from workflows.specs.parts import Part
from workflows.specs.storable_json import NotStorable, loads
from workflows.specs.texts import refusal, spec_error
from workflows.specs.validation import keys_of, validate

FORMAT = 1
MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_WORKFLOWS = 1000
MAX_ENTRIES = 10_000
MAX_ROW_NAME = 200
MAX_LABEL = 100

# What an entry of `workflows` has beside its settings.
BESIDE_SETTINGS = ("definition", "draft", "signer")


def _row_id(value: Any) -> Any:
    canonical = canonical_id(value) if isinstance(value, str) else None
    if canonical is None:
        raise refusal("not_an_id", what="the row in the installation that was exported")
    return canonical


_Id = Annotated[str, BeforeValidator(_row_id)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ROW_NAME)]
_Note = Annotated[str, StringConstraints(max_length=MAX_ROW_NAME)]


class NamedRow(Part):
    """What a workflow names, as it was called where it was exported."""

    id: _Id
    name: _Name


class ExportedSigner(NamedRow):
    address: Address


class ExportedChannel(NamedRow):
    type: _Name


class ExportedEntry(Part):
    address: Address
    label: Annotated[str, StringConstraints(max_length=MAX_LABEL)] = ""


def _addresses_once(entries: tuple[ExportedEntry, ...]) -> tuple[ExportedEntry, ...]:
    unique(tuple(entry.address for entry in entries))
    return entries


class ExportedAddressList(NamedRow):
    entries: Annotated[
        tuple[ExportedEntry, ...], Field(strict=False, max_length=MAX_ENTRIES), AfterValidator(_addresses_once)
    ]


class ExportedIdl(NamedRow):
    program_id: Address
    document: dict[str, Any]


Named = TypeVar("Named", bound=NamedRow)


def _each_once(rows: tuple[Named, ...]) -> tuple[Named, ...]:
    unique(tuple(row.id for row in rows))
    return rows


class Export(Part):
    """The whole document. The entries of `workflows` are judged where workflows are made, by what judges every one."""

    solflow: Literal[1]
    exported_at: _Note | None = None
    network: _Note | None = None
    genesis_hash: _Note | None = None
    workflows: Annotated[tuple[dict[str, Any], ...], Field(strict=False, max_length=MAX_WORKFLOWS)]
    signers: Annotated[tuple[ExportedSigner, ...], Field(strict=False), AfterValidator(_each_once)] = ()
    channels: Annotated[tuple[ExportedChannel, ...], Field(strict=False), AfterValidator(_each_once)] = ()
    address_lists: Annotated[tuple[ExportedAddressList, ...], Field(strict=False), AfterValidator(_each_once)] = ()
    idls: Annotated[tuple[ExportedIdl, ...], Field(strict=False), AfterValidator(_each_once)] = ()


_KEYS = {"": keys_of(Export)}


def read_export(raw: bytes) -> Export:
    """An export from its file. Raises `SpecErrors`: too large, no JSON, or what parse_export says."""
    if len(raw) > MAX_FILE_BYTES:
        raise SpecErrors([spec_error("", "too_large", limit=f"{MAX_FILE_BYTES // 1024 // 1024} MiB")])
    try:
        document = loads(raw)
    except NotStorable as error:
        problem = spec_error("", "invalid_json", why=str(error))
    else:
        return parse_export(document)
    raise SpecErrors([problem])


def parse_export(document: Any) -> Export:
    """An export from the plain values of storable JSON. Raises `SpecErrors` with every problem (`idls[0].name`)."""
    if not isinstance(document, Mapping) or "solflow" not in document:
        problem = 'must be an export of SolFlow: an object with "solflow": 1 and "workflows".'
        raise SpecErrors([SpecError("", "not_an_export", f"the document {problem}")])
    if type(document["solflow"]) is not int or document["solflow"] != FORMAT:
        raise SpecErrors([spec_error("solflow", "unknown_schema", document["solflow"], known=FORMAT)])
    export, problems = validate(Export, document, (), _KEYS)
    if export is None:
        raise SpecErrors(problems)
    return export


def ids_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Every id that stands in a document as a value of its own; among them are those of the rows that it names."""
    if isinstance(value, str):
        canonical = canonical_id(value)
        if canonical is not None:
            yield canonical
    elif depth <= MAX_DEPTH and isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from ids_in(inner, depth + 1)


def with_ids(value: Any, others: Mapping[str, str], depth: int = 0) -> Any:
    """The document with ids in the place of others. What is nested too deep to be accepted stays as it is."""
    if isinstance(value, str):
        return others.get(canonical_id(value) or "", value)
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, Mapping):
        return {key: with_ids(inner, others, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_ids(inner, others, depth + 1) for inner in value]
    return value
