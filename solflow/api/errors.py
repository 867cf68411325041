"""One shape for every error: `{"type", "code", "detail", "errors": [{"path", "code", "detail"}]}`.

`type` is `validation_error` (400, with `errors`), `client_error` (other 4xx) or `server_error`. `code` is stable,
`detail` is for a person. What no view of the API has seen (no route, a crash, a bad host) is shaped here as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from accounts.errors import FieldProblem, ServiceError

API_PREFIX = "/api/"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. None for what nobody expected: Django logs it and answers with `server_error`."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, ServiceError):
        return Response(body(error.status, error.code, error.detail, error.errors), status=error.status)
    if isinstance(error, exceptions.ValidationError):
        problems = list(_problems(error.get_full_details(), ""))
        return Response(body(400, "invalid", _summary(problems), problems), status=400)
    if isinstance(error, exceptions.APIException):
        headers = {}
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
        if getattr(error, "wait", None):
            headers["Retry-After"] = str(math.ceil(error.wait))  # type: ignore[attr-defined]
        return Response(
            body(error.status_code, str(error.get_codes()), str(error.detail)),
            status=error.status_code,
            headers=headers,
        )
    return None


def body(
    status: int, code: str, detail: str, problems: tuple[FieldProblem, ...] | list[FieldProblem] = ()
) -> dict[str, Any]:
    """The shape."""
    kind = "server_error" if status >= 500 else "validation_error" if status == 400 else "client_error"
    errors = [{"path": problem.path, "code": problem.code, "detail": problem.detail} for problem in problems]
    return {"type": kind, "code": code, "detail": detail, "errors": errors}


@csrf_exempt
def api_not_found(request: HttpRequest, path: str = "") -> HttpResponse:
    """Every address under /api/ that no route knows."""
    hint = "" if request.path.endswith("/") else "; addresses end with a slash"
    return JsonResponse(body(404, "not_found", f"there is nothing at this address{hint}"), status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: a wrong Host header, a request too large."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse(body(400, "bad_request", "the request is not acceptable"), status=400)
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse(body(403, "forbidden", "this is not allowed"), status=403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return (
        api_not_found(request) if request.path.startswith(API_PREFIX) else defaults.page_not_found(request, exception)
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Says nothing about what happened: that is in the log."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse(body(500, "error", "something went wrong here; it has been logged"), status=500)
    return defaults.server_error(request)


def _problems(details: Any, path: str) -> Iterator[FieldProblem]:
    """DRF's nested details as paths: `entries[0].address`."""
    if isinstance(details, list):
        for position, inner in enumerate(details):
            # A list holds messages about one field, or the details of the entries of a list.
            yield from _problems(inner, path if _is_message(inner) else f"{path}[{position}]")
    elif _is_message(details):
        yield FieldProblem(path, str(details["code"]), str(details["message"]))
    elif isinstance(details, dict):
        for key, inner in details.items():
            if key == "non_field_errors":
                yield from _problems(inner, path)
            elif isinstance(key, int):
                yield from _problems(inner, f"{path}[{key}]")
            else:
                yield from _problems(inner, f"{path}.{key}" if path else str(key))


def _is_message(details: Any) -> bool:
    return isinstance(details, dict) and set(details) == {"message", "code"} and isinstance(details["code"], str)


def _summary(problems: list[FieldProblem]) -> str:
    if not problems:
        return "the request is not valid"
    first = problems[0]
    told = first.detail if not first.path or first.detail.startswith(first.path) else f"{first.path}: {first.detail}"
    return told if len(problems) == 1 else f"{len(problems)} problems; {told}"
