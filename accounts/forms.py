"""The base of the dashboard's forms: services are the judges, the form puts their verdict beside its fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from django import forms

from accounts.errors import FieldProblem, Missing, ServiceError

T = TypeVar("T")


class ServiceForm(forms.Form):
    """A form whose fields only turn text into values; what is right is said by the service that gets them."""

    def saved(self, work: Callable[[], T]) -> T | None:
        """What `work` returns; None, with the reasons in `errors`, when the form or the service refuses."""
        if not self.is_valid():
            return None
        try:
            return work()
        except Missing:
            raise
        except ServiceError as error:
            self.refuse(error)
            return None

    def refuse(self, error: ServiceError) -> None:
        """Put each problem beside the field that its path begins with, and what has no field above the form."""
        for problem in error.errors:
            self.add_error(self.field_of(problem), problem.detail)
        if not error.errors:
            self.add_error(None, error.detail)

    def field_of(self, problem: FieldProblem) -> str | None:
        """The name of the field that a problem is about."""
        name = re.split(r"[.\[]", problem.path, maxsplit=1)[0]
        return name if name in self.fields else None

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form."""
        return 422 if self.errors else 200
