"""The one table of what can be wrong: problem -> our code and the sentence that says it. Pure.

Rows are keyed by pydantic's error type; problems that only we know (`refusal`) are their own type. A sentence follows
the name of the field and the value, shortened: `min_change ("5 sox") must be …`. No secret is ever quoted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from pydantic_core import PydanticCustomError

from workflows.specs.errors import SpecError
from workflows.specs.secret_scan import secret_in_text

_SHOWN_CHARACTERS = 60

TABLE: Mapping[str, tuple[str, str]] = {
    # pydantic's own
    "missing": ("required", "is missing"),
    "extra_forbidden": ("unknown_key", "is not a known key{hint}"),
    "string_type": ("wrong_type", "must be text"),
    "int_type": ("wrong_type", "must be a whole number"),
    "int_from_float": ("wrong_type", "must be a whole number"),
    "bool_type": ("wrong_type", "must be true or false"),
    "dict_type": ("wrong_type", "must be an object"),
    "mapping_type": ("wrong_type", "must be an object"),
    "model_type": ("wrong_type", "must be an object"),
    "model_attributes_type": ("wrong_type", "must be an object"),
    "tuple_type": ("wrong_type", "must be a list"),
    "list_type": ("wrong_type", "must be a list"),
    "literal_error": ("not_allowed", "must be one of: {expected}"),
    "string_too_short": ("too_short", "must have at least {min_length} character(s)"),
    "string_too_long": ("too_long", "must have at most {max_length} characters"),
    "too_short": ("too_short", "must have at least {min_length} entry or entries"),
    "too_long": ("too_long", "must have at most {max_length} entries"),
    "greater_than_equal": ("out_of_range", "must be {ge} or more"),
    "less_than_equal": ("out_of_range", "must be {le} or less"),
    # the document
    "invalid_json": ("invalid_json", "is not JSON: {why}"),
    "too_large": ("too_large", "is larger than {limit}"),
    "too_deep": ("too_deep", "is nested more than {limit} levels deep"),
    "too_many": ("too_many", "has more than {limit} {what}"),
    "duplicate_key": ("duplicate_key", "occurs twice in its object"),
    "not_json": ("not_json", "is not a JSON value"),
    "not_finite": ("not_finite", "must be a finite number; NaN and Infinity are refused"),
    "number_too_large": ("out_of_range", "must be a number of at most 128 bits"),
    "bad_text": ("bad_text", "holds a NUL character or half a surrogate pair, which no database stores"),
    "secret": ("secret", "holds {what}: {instead}"),
    "unknown_schema": ("unknown_schema", "must be {known}: this SolFlow reads no other version"),
    # fields
    "unknown_type": ("unknown_type", "must be one of: {allowed}"),
    "not_a_condition": ("not_a_condition", "must be an object with field, op and value, or with one of all, any, not"),
    "not_an_address": ("not_an_address", "must be a Solana address: 32 bytes in base58"),
    "not_a_signature": ("not_a_signature", "must be a transaction signature: 64 bytes in base58"),
    "not_an_id": ("not_an_id", "must be the id of {what}, a UUID"),
    "float_amount": ("float_amount", "must not be a float: use base units or text {example}"),
    "not_lamports": ("not_an_amount", 'must be a whole number of lamports, or text with its unit like "0.001 SOL"'),
    "unit_missing": ("unit_missing", 'needs its unit, as in "0.001 SOL" or "5000 lamports"'),
    "too_precise": ("too_precise", "is finer than one lamport: SOL has 9 decimal places, lamports have none"),
    "not_tokens": ("not_an_amount", 'must be a whole number of base units, or text like "12.5" for whole tokens'),
    "amount_out_of_range": ("out_of_range", "must be between {low} and {high} base units"),
    "keep_without_max": ("keep_without_max", 'goes only with "max": it is what stays behind'),
    "bad_template": ("bad_template", "has a wrong template: {why}"),
    "template_not_here": ("bad_template", "must be written out: {{{{ … }}}} is not available in this field"),
    "bad_pattern": ("bad_pattern", "is not a usable regular expression (RE2 syntax): {why}"),
    "bad_cron": ("bad_cron", "must be a cron expression of five fields, such as */15 8-18 * * MON-FRI{why}"),
    "unknown_timezone": ("unknown_timezone", "must be a time zone's name, such as Europe/Berlin or UTC"),
    "bad_encoding": ("bad_encoding", "is not {encoding}"),
    "bytes_out_of_range": ("out_of_range", "must hold {low} to {high} bytes"),
    "bad_color": ("bad_color", 'must be a colour like "#5865f2" or a number from 0 to 16777215'),
    "bad_name": ("bad_name", "must be a name of letters, digits and _ that begins with a letter"),
    "repeated": ("repeated", "names the same entry twice"),
    "not_blank": ("too_short", "must not be blank"),
    # rules between fields
    "not_both": ("not_both", "does not go together with {other}"),
    "one_of": ("one_of", "needs exactly one of: {names}"),
    "bad_field": ("bad_field", "must be a path into the event, such as event.lamports or event.data.amount"),
    "beyond_data_size": ("beyond_data_size", "reaches beyond data_size, {size} bytes: nothing could match"),
    "no_value_taken": ("no_value_taken", "must be left out: {op} takes no value; its opposite is written with not"),
    "wrong_value": ("wrong_value", "must be {allowed} for {op}"),
    "wrong_value_type": ("wrong_value_type", "must be a whole number: {field} is an integer"),
    "wrong_operator": ("wrong_operator", "cannot be used on {field}, which is {kind}"),
    "above_limit": ("above_limit", "is {amount}, above this workflow's {limit_name} of {limit}"),
    "recipient_not_allowed": ("recipient_not_allowed", "is not among this workflow's allowed_recipients"),
    "program_not_allowed": ("program_not_allowed", "is not among this workflow's allowed_programs"),
    "mint_not_named": ("mint_not_named", "is not named in max_tokens_per_tx, so no token of it may leave"),
    "not_served": ("not_served", "cannot run yet in this version: {what} is not served; keep the workflow disabled"),
}


def refusal(code: LiteralString, **context: Any) -> PydanticCustomError:
    """What a validator raises: a row of the table with what its sentence needs. `at` names a key below the object."""
    return PydanticCustomError(code, code, context)


def spec_error(path: str, problem: str, value: object = None, **context: Any) -> SpecError:
    """The `SpecError` for a row of the table; `value`, when it can be shown, is quoted behind the field's name."""
    code, sentence = TABLE.get(problem, ("invalid", "is not valid ({problem})"))
    quoted = shown(value)
    words = {"problem": problem, "value": quoted.strip('"'), **context}
    subject = path or "the document"
    return SpecError(path, code, f"{subject}{f' ({quoted})' if quoted else ''} {sentence.format_map(words)}.")


def shown(value: object) -> str:
    """A scalar as JSON would write it, shortened; "" for what is not worth or not safe to quote."""
    if value is None or (isinstance(value, Mapping | Sequence) and not isinstance(value, str)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value)
    if secret_in_text(text) is not None:
        return ""
    clean = "".join(character if character.isprintable() else "�" for character in text[: _SHOWN_CHARACTERS + 1])
    if len(clean) > _SHOWN_CHARACTERS:
        clean = clean[:_SHOWN_CHARACTERS] + "…"
    return f'"{clean}"' if isinstance(value, str) else clean
