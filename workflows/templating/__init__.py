"""`{{ … }}` in the texts of a workflow: checked when it is saved, rendered for one event. Pure."""

from workflows.templating.expressions import ROOTS
from workflows.templating.rendering import (
    MISSING_TEXT,
    check,
    check_amount,
    is_template,
    render,
    render_amount,
    render_exact,
)
from workflows.templating.values import Context, TemplateError, UndefinedError

__all__ = [
    "MISSING_TEXT",
    "ROOTS",
    "Context",
    "TemplateError",
    "UndefinedError",
    "check",
    "check_amount",
    "is_template",
    "render",
    "render_amount",
    "render_exact",
]
