"""JSON-RPC 2.0: bytes in, bytes out; single calls and batches."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from chain.local.errors import INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR, RpcError, invalid_params

logger = logging.getLogger(__name__)

CallMethod = Callable[[str, list[Any]], Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `error` is set where it is not a valid one. Without an `id` it wants no answer."""

    request_id: Any
    wants_answer: bool
    method: str
    params: list[Any]
    error: RpcError | None = None


@dataclass(frozen=True, slots=True)
class Requests:
    """The calls of one message."""

    calls: list[Request]
    is_batch: bool

    @property
    def methods(self) -> list[str]:
        """The methods called."""
        return [call.method for call in self.calls]


def parse(raw: bytes | str) -> Requests:
    """The calls of a message; what cannot be read becomes a call that answers its error."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Requests([_invalid(None, RpcError(PARSE_ERROR, "Parse error"))], is_batch=False)
    if not isinstance(body, list):
        return Requests([_request(body)], is_batch=False)
    if not body:
        return Requests([_invalid(None, RpcError(INVALID_REQUEST, "Invalid request"))], is_batch=False)
    return Requests([_request(item) for item in body], is_batch=True)


def _invalid(request_id: Any, error: RpcError) -> Request:
    return Request(request_id, wants_answer=True, method="", params=[], error=error)


def _request(body: Any) -> Request:
    if not isinstance(body, dict) or not isinstance(body.get("method"), str):
        request_id = body.get("id") if isinstance(body, dict) else None
        return _invalid(request_id, RpcError(INVALID_REQUEST, "Invalid request"))
    params = body.get("params")
    if params is None:
        params = []
    if not isinstance(params, list):
        return _invalid(body.get("id"), invalid_params("Invalid params: expected a list."))
    return Request(body.get("id"), "id" in body, body["method"], params)


def answer(requests: Requests, call_method: CallMethod) -> bytes:
    """Run the calls in order and answer them; empty where no call wants an answer."""
    answers = [
        text for request in requests.calls if (text := _answer_one(request, call_method)) or request.wants_answer
    ]
    if requests.is_batch:
        return b"[" + b",".join(answers) + b"]" if answers else b""
    return answers[0] if answers else b""


def _answer_one(request: Request, call_method: CallMethod) -> bytes:
    outcome: dict[str, Any]
    try:
        if request.error is not None:
            raise request.error
        outcome = {"result": call_method(request.method, request.params)}
    except RpcError as error:
        outcome = {"error": error.as_json()}
    except Exception:
        logger.exception("%s failed", request.method)
        outcome = {"error": {"code": INTERNAL_ERROR, "message": "Internal error"}}
    if not request.wants_answer:
        return b""
    return orjson.dumps({"jsonrpc": "2.0", **outcome, "id": request.request_id})
