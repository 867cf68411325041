"""What the builder's controls are called. A name that is not here is called by itself."""

from __future__ import annotations

from collections.abc import Mapping

from solflow.ui.definition import ACTION_WORDS, TRIGGER_WORDS

LABELS: Mapping[str, str] = {
    "to": "To",
    "program_id": "Program",
    "min_change": "At least",
    "min_amount": "At least",
    "mint": "Token (mint)",
    "lamports": "Amount",
    "keep": "Keep back",
    "owner": "Out of the account of",
    "create_recipient_account": "Create the recipient's account",
    "idl": "IDL",
    "args": "Arguments",
    "memcmp": "Bytes to compare",
    "data_size": "Size of the data",
    "on": "Tell when it",
    "missed": "After downtime",
    "cron": "When (cron)",
    "timezone": "Time zone",
    "auth": "Senders prove themselves by",
    "pattern": "Line matches",
    "event": "IDL event",
    "include_failed": "Failed transactions too",
    "on_truncated": "When Solana cut the log",
    "verified_only": "Only of a verified collection",
    "digest_s": "Gather for",
    "cooldown_s": "Be quiet for",
    "recovery_after": "Tell of recovery",
    "color": "Colour",
}
HELP: Mapping[str, str] = {
    "address": "The account to watch.",
    "wallet": "Its owner. The token arrives at one of its accounts.",
    "token_account": "Instead of a wallet: the very account.",
    "min_change": "Smaller changes are no events.",
    "min_amount": "Less than that is no event.",
    "to": "An address, or {{ … }} with an address from the event.",
    "lamports": "A number; max for all but the fee; or {{ … }} over the event, which computes lamports.",
    "amount": "A number; max for all; or {{ … }} over the event, which computes base units.",
    "keep": "Goes with max: what stays in the account.",
    "owner": "Empty: the signer pays. Else a wallet that lets the signer take its tokens, or SOL that it has wrapped.",
    "create_recipient_account": "Costs its rent, which counts in the limits.",
    "text": "{{ … }} stands for what the event holds.",
    "cron": "Five fields: minute, hour, day, month, weekday. */15 8-18 * * MON-FRI",
    "timezone": "Like Europe/Berlin, or UTC.",
    "pattern": "A regular expression in RE2 syntax. Or choose an event of an IDL.",
    "event": "Its name in the IDL.",
    "memcmp": 'A list of {"offset": 0, "bytes": "base58"}: what the account must hold there.',
    "data_size": "In bytes. Empty: any.",
    "accounts": "As JSON.",
    "args": "As JSON; {{ … }} in its texts.",
    "data": "The instruction's bytes, in the encoding below.",
    "lookup_tables": "One address a line.",
    "signature": "Or name an account, or a program.",
    "channel": "Where the message goes.",
    "title": "In place of the template's. {{ … }} stands for what the event holds.",
    "message": "In place of the template's. {{ event.lamports_delta }} stands for what the event holds.",
    "color": "Like #5865f2.",
    "digest_s": "Seconds. What occurs in them is told in one message at their end.",
    "cooldown_s": "Seconds after a message; what occurs in them is told in one at their end.",
    "recovery_after": "The first success after so many failures in a row is told as such.",
}
CHOICES: Mapping[str, str] = {
    "any": "Any",
    "increase": "Increases",
    "decrease": "Decreases",
    "run_once": "Run what was missed once",
    "skip": "Skip what was missed",
    "standard": "A signature (Standard Webhooks)",
    "header": "A secret in the Authorization header",
    "notify": "Tell the channels",
    "ignore": "Ignore it",
    "success": "succeeds",
    "failed": "fails",
    "filtered": "is filtered out",
    "throttled": "is throttled",
}
# Of one field only, where the word alone would mislead.
_CHOICES_OF: Mapping[str, str] = {
    "status.success": "Succeeded",
    "status.failed": "Failed",
    "status.any": "Either",
    "template.success": "Success",
}
_KINDS: Mapping[str, str] = {
    **TRIGGER_WORDS,
    **ACTION_WORDS,
    "call_program.idl": "Call a program by its IDL",
    "call_program.raw": "Call a program by bytes",
}


def label(name: str) -> str:
    """What a field is called."""
    return LABELS.get(name) or name.replace("_", " ").capitalize()


def choice(name: str, value: str) -> str:
    """What one of a field's choices is called."""
    return _CHOICES_OF.get(f"{name}.{value}") or CHOICES.get(value) or value.replace("_", " ").capitalize()


def kind_words(kind: str) -> str:
    """What a kind of trigger or action is called."""
    return _KINDS.get(kind) or kind.replace("_", " ").capitalize()
