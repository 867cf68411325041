from __future__ import annotations

from typing import Any

import orjson
import pytest

from chain.local import envelope
from chain.local.errors import RpcError


def answer(body: Any) -> Any:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    answered = envelope.answer(envelope.parse(raw), call_method)
    return orjson.loads(answered) if answered else None


def call_method(method: str, params: list[Any]) -> Any:
    if method == "broken":
        raise KeyError("a bug")
    if method == "refused":
        raise RpcError(-32002, "no", {"logs": []})
    return [method, params]


def request(method: str = "getSlot", **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, **more}


def test_a_call_is_answered_under_its_id() -> None:
    assert answer(request(id="seven", params=[5])) == {"jsonrpc": "2.0", "result": ["getSlot", [5]], "id": "seven"}


def test_parameters_may_be_left_out_or_null() -> None:
    assert answer(request())["result"] == ["getSlot", []]
    assert answer(request(params=None))["result"] == ["getSlot", []]


def test_a_batch_is_answered_in_its_order() -> None:
    answers = answer([request("a", id=1), request("refused", id=2), request("c", id=3)])
    assert [item["id"] for item in answers] == [1, 2, 3]
    assert answers[1]["error"] == {"code": -32002, "message": "no", "data": {"logs": []}}


def test_a_call_without_an_id_wants_no_answer() -> None:
    silent = {"jsonrpc": "2.0", "method": "getSlot"}
    assert answer(silent) is None
    assert [item["id"] for item in answer([silent, request(id=9)])] == [9]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{not json", -32700),
        ([], -32600),
        (7, -32600),
        ({"id": 1}, -32600),
        (request(params={"slot": 1}), -32602),
    ],
)
def test_what_cannot_be_read_is_answered_with_the_standard_code(body: Any, code: int) -> None:
    assert answer(body)["error"]["code"] == code


def test_a_bug_in_a_method_is_an_internal_error_and_no_silence() -> None:
    assert answer(request("broken"))["error"] == {"code": -32603, "message": "Internal error"}
