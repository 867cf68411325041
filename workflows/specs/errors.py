"""What is wrong with a document, said once for API, forms, import and worker.

SpecErrors (ValueError)    everything that is wrong with one document, as a tuple of SpecError
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpecError:
    """One problem. `path` as a person would write it (`actions[0].lamports`, "" for the document), `code` is stable."""

    path: str
    code: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {"path": self.path, "code": self.code, "detail": self.detail}


class SpecErrors(ValueError):
    """A document is refused. `errors` holds every problem found, never empty; none of them quotes a secret."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.path or 'document'}: {error.detail}" for error in self.errors))

    def under(self, prefix: str) -> SpecErrors:
        """The same problems, seen from a document that holds this one at `prefix` (`definition` in an API body)."""
        return SpecErrors(SpecError(_below(prefix, error.path), error.code, error.detail) for error in self.errors)


def _below(prefix: str, path: str) -> str:
    if not path:
        return prefix
    return f"{prefix}{path}" if path.startswith("[") else f"{prefix}.{path}"
