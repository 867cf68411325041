"""What Discord refuses in a message. Pure: https://discord.com/developers/docs/resources/webhook#execute-webhook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MAX_CONTENT = 2_000
MAX_EMBEDS = 10
MAX_FIELDS = 25
MAX_EMBED_TEXT = 6_000  # all texts of all embeds together
MAX_LENGTHS = {"title": 256, "description": 4_096}
MAX_NESTED_LENGTHS = {("footer", "text"): 2_048, ("author", "name"): 256}
MAX_FIELD_LENGTHS = {"name": 256, "value": 1_024}


def refusal(payload: Any) -> dict[str, Any] | None:
    """The body of Discord's 400 for a payload that it would not take, None for one that it would."""
    if not isinstance(payload, Mapping):
        return {"message": "The request body contains invalid JSON.", "code": 50109}
    problems = dict(_problems(payload))
    if problems:
        errors = {
            path: {"_errors": [{"code": "BASE_TYPE_BAD_LENGTH", "message": why}]} for path, why in problems.items()
        }
        return {"message": "Invalid Form Body", "code": 50035, "errors": errors}
    if not payload.get("content") and not payload.get("embeds"):
        return {"message": "Cannot send an empty message", "code": 50006}
    return None


def _problems(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and reason of everything that is too long or of the wrong type."""
    yield from _text(payload, "content", "content", MAX_CONTENT)
    embeds = payload.get("embeds") or []
    if not isinstance(embeds, list) or not all(isinstance(embed, Mapping) for embed in embeds):
        yield "embeds", "Must be a list of objects."
        return
    if len(embeds) > MAX_EMBEDS:
        yield "embeds", f"Must be {MAX_EMBEDS} or fewer in length."
    for position, embed in enumerate(embeds):
        yield from _embed(embed, f"embeds.{position}")
    if sum(map(_embed_text, embeds)) > MAX_EMBED_TEXT:
        yield "embeds", f"Embed size exceeds maximum size of {MAX_EMBED_TEXT}."


def _embed(embed: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for key, longest in MAX_LENGTHS.items():
        yield from _text(embed, key, f"{path}.{key}", longest)
    for (outer, inner), longest in MAX_NESTED_LENGTHS.items():
        yield from _text(_mapping(embed.get(outer)), inner, f"{path}.{outer}.{inner}", longest)
    fields = embed.get("fields") or []
    if not isinstance(fields, list) or len(fields) > MAX_FIELDS:
        yield f"{path}.fields", f"Must be a list of {MAX_FIELDS} or fewer."
        return
    for position, item in enumerate(fields):
        for key, longest in MAX_FIELD_LENGTHS.items():
            where = f"{path}.fields.{position}.{key}"
            if not _mapping(item).get(key):
                yield where, "This field is required."
            yield from _text(_mapping(item), key, where, longest)


def _text(holder: Mapping[str, Any], key: str, path: str, longest: int) -> Iterator[tuple[str, str]]:
    value = holder.get(key)
    if value is not None and not isinstance(value, str):
        yield path, "Could not interpret as string."
    elif value is not None and len(value) > longest:
        yield path, f"Must be {longest} or fewer in length."


def _embed_text(embed: Mapping[str, Any]) -> int:
    texts = [embed.get(key) for key in MAX_LENGTHS]
    texts += [_mapping(embed.get(outer)).get(inner) for outer, inner in MAX_NESTED_LENGTHS]
    fields = embed.get("fields")
    for item in fields if isinstance(fields, list) else []:
        texts += [_mapping(item).get(key) for key in MAX_FIELD_LENGTHS]
    return sum(len(text) for text in texts if isinstance(text, str))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
