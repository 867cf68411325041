"""Parsed definitions by version, and filters asked for a whole batch. A version never changes: each is parsed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from executions.claims import Claimed
from workflows.matching import AddressListView, CompiledFilter, FilterResult, compile_filter
from workflows.models import AddressList, Workflow, WorkflowVersion
from workflows.specs.limits import check_limits
from workflows.specs.references import address_lists_named
from workflows.specs.settings import WorkflowSettings
from workflows.specs.workflow import WorkflowSpec, parse

CACHED_VERSIONS = 4096


@lru_cache(CACHED_VERSIONS)
def spec_of(version_id: int) -> WorkflowSpec:
    """The definition of a version."""
    return parse(WorkflowVersion.objects.values_list("definition", flat=True).get(pk=version_id))


@lru_cache(CACHED_VERSIONS)
def _filter_of(version_id: int) -> tuple[CompiledFilter, tuple[str, ...]]:
    spec = spec_of(version_id)
    return compile_filter(spec.filter), tuple(address_lists_named(spec))


def judged(claimed: Sequence[Claimed]) -> list[tuple[Claimed, FilterResult]]:
    """What each one's filter says of its event, with the trace. Address lists are read once for the batch."""
    filters = {version: _filter_of(version) for version in {one.version_id for one in claimed}}
    lists = load_lists({name for _, names in filters.values() for name in names})
    return [(one, filters[one.version_id][0].evaluate(one.event, lists)) for one in claimed]


def load_lists(ids: set[str]) -> Mapping[str, AddressListView]:
    """The address lists of these ids, as filters see them, by one query."""
    if not ids:
        return {}
    rows = AddressList.objects.filter(id__in=ids).prefetch_related("entries")
    return {
        str(row.id): AddressListView(
            str(row.id), row.name, row.version, frozenset(entry.address for entry in row.entries.all())
        )
        for row in rows
    }


def literal_problems(version_id: int, workflow: Workflow) -> str:
    """Why what the definition writes out is outside today's limits; empty when it is within."""
    spec = spec_of(version_id)
    if not spec.actions:
        return ""
    # The row was validated when it was written; doing it again for every execution would cost more than the check.
    limits = WorkflowSettings.model_construct(
        **{name: getattr(workflow, name) for name in WorkflowSettings.model_fields}
    )
    return " ".join(problem.detail for problem in check_limits(spec, limits))
