"""Errors that services raise and doors translate.

ServiceError                base: `code` is stable, `detail` is for a person, `status` is what HTTP says
├── Refused                 409: the state of things does not allow it
├── Invalid                 400: the input is wrong; `errors` names each field
├── Missing                 404: not there, or not this team's
├── Forbidden               403: the role or scope does not allow it
└── NotNow                  503: something that it needs does not answer; nothing was changed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with an input: where (`definition.actions[0].lamports`), a stable code, and what is allowed."""

    path: str
    code: str
    detail: str


class ServiceError(Exception):
    status = 500
    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, errors: Sequence[FieldProblem] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = tuple(errors)


class Refused(ServiceError):
    status, code = 409, "conflict"


class Invalid(ServiceError):
    status, code = 400, "invalid"

    @classmethod
    def field(cls, path: str, code: str, detail: str) -> Invalid:
        """The error for one wrong field."""
        return cls(f"{path}: {detail}", errors=[FieldProblem(path, code, detail)])


class Missing(ServiceError):
    status, code = 404, "not_found"


class Forbidden(ServiceError):
    status, code = 403, "forbidden"


class NotNow(ServiceError):
    status, code = 503, "unavailable"
