"""What a workflow does on chain: up to eight actions, which become one atomic transaction. Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

import base58
from pydantic import AfterValidator, Field, StringConstraints, Tag, model_validator

from chain.types import NATIVE_MINTS
from workflows.specs.amounts import ACTION_ROOTS, MAX, ActionLamports, ActionTokens, KeptLamports, KeptTokens
from workflows.specs.documents import child_path
from workflows.specs.fields import AccountName, Address, IdlId, Name, OpenAddress, action_text, unique
from workflows.specs.parts import TAG_MARK, Part, chosen_by, type_of
from workflows.specs.texts import refusal
from workflows.templating import TemplateError, check, is_template

MAX_ACTIONS = 8
MAX_ACCOUNTS = 64  # what one transaction can lock
MAX_LOOKUP_TABLES = 8
MAX_DATA_BYTES = 1232  # a whole transaction
MAX_MEMO_BYTES = 566  # what the memo program itself can take in a legacy transaction
MAX_ARGUMENTS = 64

_MEMO_TEXT = 4096


class TransferSol(Part):
    """Lamports from the workflow's signer; `"max"` is all but fees and `keep`. With an `owner`, wrapped SOL from that
    wallet's associated account, whose delegate the signer is; `"max"` is then what it may take and leaves `keep`."""

    type: Literal["transfer_sol"]
    to: OpenAddress
    lamports: ActionLamports
    keep: KeptLamports | None = None
    owner: Address | None = None

    @model_validator(mode="after")
    def _keep_goes_with_max(self) -> Self:
        _check_keep(self.lamports, self.keep)
        return self


class TransferToken(Part):
    """Tokens (Token or Token-2022) from the signer's associated account; `"max"` is all but `keep`. With an `owner`,
    from that wallet's associated account, whose delegate the signer is; `"max"` is then what it may take and leaves
    `keep`. Whose money it is, is written out: no event decides that."""

    type: Literal["transfer_token"]
    mint: OpenAddress
    to: OpenAddress
    amount: ActionTokens
    keep: KeptTokens | None = None
    create_recipient_account: bool = False
    owner: Address | None = None

    @property
    def draws_sol(self) -> bool:
        """Whether it takes SOL that an owner has wrapped: limits count that as lamports."""
        return self.owner is not None and self.mint in NATIVE_MINTS

    @model_validator(mode="after")
    def _keep_goes_with_max(self) -> Self:
        _check_keep(self.amount, self.keep)
        return self


class AccountMeta(Part):
    """An account of an instruction, as Solana's own structures name it."""

    address: OpenAddress
    signer: bool = False
    writable: bool = False


LookupTables = Annotated[tuple[Address, ...], Field(strict=False, max_length=MAX_LOOKUP_TABLES), AfterValidator(unique)]


class CallProgramRaw(Part):
    """An instruction by its bytes. The program is always written out: it decides what the limits allow."""

    type: Literal["call_program"]
    program_id: Address
    accounts: Annotated[tuple[AccountMeta, ...], Field(strict=False, max_length=MAX_ACCOUNTS)]
    data: Annotated[str, StringConstraints(max_length=4096), AfterValidator(action_text)]
    encoding: Literal["base64", "base58", "hex"] = "base64"
    lookup_tables: LookupTables = ()

    @model_validator(mode="after")
    def _data_is_encoded(self) -> Self:
        if is_template(self.data):
            return self
        try:
            raw = decode_data(self.data, self.encoding)
        except ValueError:
            raise refusal("bad_encoding", at="data", encoding=self.encoding) from None
        if len(raw) > MAX_DATA_BYTES:
            raise refusal("bytes_out_of_range", at="data", low=0, high=MAX_DATA_BYTES)
        return self


class CallProgramByIdl(Part):
    """An instruction by its name in an Anchor IDL, with accounts by name and JSON arguments."""

    type: Literal["call_program"]
    program_id: Address
    idl: IdlId
    instruction: Name
    accounts: Annotated[dict[AccountName, OpenAddress], Field(max_length=MAX_ACCOUNTS)] = {}
    args: Annotated[dict[str, Any], Field(max_length=MAX_ARGUMENTS)] = {}
    lookup_tables: LookupTables = ()

    @model_validator(mode="after")
    def _templates_of_arguments(self) -> Self:
        for path, text in _texts(self.args, "args"):
            try:
                check(text, ACTION_ROOTS)
            except TemplateError as error:
                raise refusal("bad_template", at=path, why=str(error)) from None
        return self


class Memo(Part):
    """A text that the transaction carries for everyone to read."""

    type: Literal["memo"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=_MEMO_TEXT), AfterValidator(action_text)]

    @model_validator(mode="after")
    def _fits_a_transaction(self) -> Self:
        if not is_template(self.text) and len(self.text.encode()) > MAX_MEMO_BYTES:
            raise refusal("bytes_out_of_range", at="text", low=1, high=MAX_MEMO_BYTES)
        return self


ACTION_TYPES: Mapping[str, tuple[type[Part], ...]] = {
    "transfer_sol": (TransferSol,),
    "transfer_token": (TransferToken,),
    "call_program": (CallProgramRaw, CallProgramByIdl),
    "memo": (Memo,),
}
# Each with the name by which its union tags it: a type, or a type and the way in which it is written.
ACTION_VARIANTS: Mapping[str, type[Part]] = {
    "transfer_sol": TransferSol,
    "transfer_token": TransferToken,
    "call_program.idl": CallProgramByIdl,
    "call_program.raw": CallProgramRaw,
    "memo": Memo,
}


def action_variant(value: Any) -> str | None:
    """The key in ACTION_VARIANTS as which an action would be read, parsed or not; None for a type that is none."""
    kind = type_of(value)
    if kind == "call_program":
        by_idl = isinstance(value, CallProgramByIdl) or (
            isinstance(value, Mapping) and ("idl" in value or "instruction" in value or "args" in value)
        )
        return "call_program.idl" if by_idl else "call_program.raw"
    return kind if kind is not None and kind in ACTION_TYPES else None


def _tag(value: Any) -> str | None:
    variant = action_variant(value)
    return None if variant is None else TAG_MARK + variant


Action = Annotated[
    Annotated[TransferSol, Tag(TAG_MARK + "transfer_sol")]
    | Annotated[TransferToken, Tag(TAG_MARK + "transfer_token")]
    | Annotated[CallProgramRaw, Tag(TAG_MARK + "call_program.raw")]
    | Annotated[CallProgramByIdl, Tag(TAG_MARK + "call_program.idl")]
    | Annotated[Memo, Tag(TAG_MARK + "memo")],
    chosen_by(_tag, ACTION_TYPES),
]


def decode_data(text: str, encoding: str) -> bytes:
    """The instruction's bytes; raises ValueError when the text is not what `encoding` says."""
    return _DECODERS[encoding](text)


_DECODERS: Mapping[str, Callable[[str], bytes]] = {
    "base64": lambda text: base64.b64decode(text, validate=True),
    "base58": base58.b58decode,
    "hex": bytes.fromhex,
}


def _check_keep(amount: int | str, keep: int | str | None) -> None:
    if keep is not None and amount != MAX:
        raise refusal("keep_without_max", at="keep")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if is_template(value):
            yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, child_path(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, child_path(path, index))
