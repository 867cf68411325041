"""Whether a workflow may be saved: its document, its settings, and the rows that both name. All problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.errors import Invalid
from accounts.models import Team
from workflows.errors import invalid
from workflows.models import AddressList, Channel, Idl, Signer, Workflow
from workflows.selectors import channel_list, signer_list
from workflows.specs.documents import load
from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.idl_calls import StoredIdl, call_problems
from workflows.specs.idl_events import event_problems
from workflows.specs.limits import check_limits
from workflows.specs.references import address_lists_named, calls_by_idl, channels_named, idls_named
from workflows.specs.settings import WorkflowSettings, dump_settings, parse_settings
from workflows.specs.triggers import ProgramLog
from workflows.specs.workflow import WorkflowSpec, parse

SETTINGS = tuple(WorkflowSettings.model_fields)


@dataclass(frozen=True, slots=True)
class Checked:
    """A workflow that may be saved."""

    spec: WorkflowSpec
    settings: WorkflowSettings
    signer: Signer | None

    def columns(self) -> dict[str, Any]:
        """The settings as the workflow's columns hold them."""
        return dump_settings(self.settings)


def check(
    *,
    team: Team,
    definition: Any,
    settings: Mapping[str, Any],
    signer_id: Any,
    known: Workflow | None = None,
    references: bool = True,
) -> Checked:
    """What was given as typed values. `settings` change those of `known`, or else the defaults.

    `references` is False for a definition that was saved before: what it names may have been deleted since, which is
    asked again when it is enabled.

    Raises:
        Invalid: paths are those of an API request (`definition.actions[0].to`, `max_lamports_per_tx`, `signer`).
    """
    problems: list[SpecError] = []
    spec = _spec(definition, problems)
    parsed = _settings(settings, known, problems)
    signer = _signer(team, signer_id, known, problems)
    if spec is not None:
        found = reference_problems(team=team, spec=spec) if references else []
        if parsed is not None:
            found += check_limits(spec, parsed)
        problems += _under("definition", found)
    if problems or spec is None or parsed is None:
        raise invalid(problems)
    return Checked(spec, parsed, signer)


def check_draft(draft: Any) -> dict[str, Any] | None:
    """A definition in the making: any document that is safe to keep, or None.

    Raises:
        Invalid: no object, too large, or with a secret in it.
    """
    if draft is None:
        return None
    try:
        plain, problems = load(draft)
    except SpecErrors as error:
        problems = list(error.errors)
    if problems:
        raise invalid(_under("draft", problems))
    return plain


def draft_problems(*, workflow: Workflow, document: Mapping[str, Any]) -> list[SpecError]:
    """Everything that would keep this document from being published; paths are those of the document."""
    try:
        check(team=workflow.team, definition=document, settings={}, signer_id=workflow.signer_id, known=workflow)
    except Invalid as error:
        return [
            SpecError(one.path.removeprefix("definition").removeprefix("."), one.code, one.detail)
            for one in error.errors
        ]
    return []


def reference_problems(*, team: Team, spec: WorkflowSpec) -> list[SpecError]:
    """The channels, address lists and IDLs that the definition names and the team does not have, and what the IDLs that
    it has say against its calls and its trigger."""
    return [
        *_missing("channel", channels_named(spec), channel_list(team=team)),
        *_missing("address list", address_lists_named(spec), AddressList.objects.filter(team=team)),
        *_missing("IDL", idls_named(spec), Idl.objects.filter(team=team)),
        *_unlike_their_idls(team, spec),
    ]


def settings_of(workflow: Workflow) -> WorkflowSettings:
    """The stored settings; they were checked when they were saved."""
    return parse_settings({name: getattr(workflow, name) for name in SETTINGS})


def _missing(
    what: str, named: Mapping[str, list[str]], rows: QuerySet[Channel] | QuerySet[AddressList] | QuerySet[Idl]
) -> list[SpecError]:
    if not named:
        return []
    there = {str(row_id) for row_id in rows.filter(pk__in=list(named)).values_list("pk", flat=True)}
    return [
        SpecError(path, "not_found", f"{path}: there is no {what} {row_id}.")
        for row_id, paths in named.items()
        if row_id not in there
        for path in paths
    ]


def _unlike_their_idls(team: Team, spec: WorkflowSpec) -> list[SpecError]:
    named = idls_named(spec)
    rows = Idl.objects.filter(team=team, pk__in=list(named)) if named else ()
    stored = {str(row.pk): StoredIdl(row.program_id, row.document) for row in rows}
    found: list[SpecError] = []
    if isinstance(spec.trigger, ProgramLog) and spec.trigger.idl in stored:
        found += event_problems(spec.trigger, stored[spec.trigger.idl])
    for path, call in calls_by_idl(spec).items():
        if call.idl in stored:
            found += call_problems(call, stored[call.idl], path)
    return found


def _spec(definition: Any, problems: list[SpecError]) -> WorkflowSpec | None:
    if definition is None:
        problems.append(SpecError("definition", "required", "definition is missing."))
        return None
    try:
        return parse(definition)
    except SpecErrors as error:
        problems += error.under("definition").errors
        return None


def _settings(
    settings: Mapping[str, Any], known: Workflow | None, problems: list[SpecError]
) -> WorkflowSettings | None:
    try:
        return parse_settings(settings, base=settings_of(known) if known else None)
    except SpecErrors as error:
        problems += error.errors
        return None


def _signer(team: Team, signer_id: Any, known: Workflow | None, problems: list[SpecError]) -> Signer | None:
    if signer_id is None:
        return None
    if known is not None and signer_id == known.signer_id:
        return known.signer
    row_id = _uuid(signer_id)
    signer = signer_list(team=team).filter(pk=row_id).first() if row_id else None
    if signer is None:
        problems.append(SpecError("signer", "not_found", "signer: there is no such signer."))
    return signer


def _uuid(value: Any) -> UUID | None:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, TypeError, AttributeError):
        return None


def _under(prefix: str, problems: Iterable[SpecError]) -> list[SpecError]:
    found = tuple(problems)
    return list(SpecErrors(found).under(prefix).errors) if found else []
