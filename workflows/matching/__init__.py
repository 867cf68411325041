"""Does an event concern a workflow: its trigger asks first (`matches`, or `mismatch` for the reason), then its filter
(`compile_filter`). Pure."""

from workflows.matching.filters import (
    AddressListView,
    CompiledFilter,
    FilterResult,
    Trace,
    compile_filter,
    evaluate,
)
from workflows.matching.triggers import Mismatch, matches, mismatch

__all__ = [
    "AddressListView",
    "CompiledFilter",
    "FilterResult",
    "Mismatch",
    "Trace",
    "compile_filter",
    "evaluate",
    "matches",
    "mismatch",
]
