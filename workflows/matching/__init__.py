"""Does an event concern a workflow: its trigger asks first (`matches`), then its filter (`compile_filter`). Pure."""

from workflows.matching.filters import (
    AddressListView,
    CompiledFilter,
    FilterResult,
    Trace,
    compile_filter,
    evaluate,
)
from workflows.matching.triggers import matches

__all__ = ["AddressListView", "CompiledFilter", "FilterResult", "Trace", "compile_filter", "evaluate", "matches"]
