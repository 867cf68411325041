"""Discord's published limits, to hold a webhook's request to."""

from __future__ import annotations

from typing import Any

import orjson


def assert_valid(document: dict[str, Any]) -> None:
    """Discord's published limits: RichEmbed and its parts in its OpenAPI description, and 6000 characters in all."""
    assert document["allowed_mentions"] == {"parse": []}
    (embed,) = document["embeds"]
    texts = [embed["title"], embed["footer"]["text"]]
    assert 1 <= len(embed["title"]) <= 256
    assert 1 <= len(embed["footer"]["text"]) <= 2048
    assert 0 <= embed["color"] <= 0xFFFFFF
    if "description" in embed:
        assert 1 <= len(embed["description"]) <= 4096
        texts.append(embed["description"])
    assert len(embed["fields"]) <= 25
    for field in embed["fields"]:
        assert 1 <= len(field["name"]) <= 256
        assert 1 <= len(field["value"]) <= 1024
        assert field["name"].strip()
        assert field["value"].strip()
        texts += [field["name"], field["value"]]
    assert len(embed.get("url", "")) <= 2048
    assert sum(map(len, texts)) <= 6000
    assert orjson.loads(orjson.dumps(document)) == document
