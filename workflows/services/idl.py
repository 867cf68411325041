"""The only writers of IDLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Missing, Refused
from workflows.errors import invalid
from workflows.models import Idl
from workflows.selectors import workflows_enabled_naming
from workflows.services.changes import refusing_duplicates, write
from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.fields import is_address
from workflows.specs.idls import check_idl

NAME_IS_UNIQUE = "one_idl_of_a_name"


def idl_create(*, actor: Actor, name: str, document: Any, program_id: str | None = None) -> Idl:
    """An IDL. `program_id` may be left out where the document names its program.

    Raises:
        Invalid: the document is no Anchor IDL, or of another program.
        Refused: the team has an IDL of that name.
    """
    program_id = _program(document, program_id)
    with refusing_duplicates(NAME_IS_UNIQUE, f"there is an IDL {name} already"):
        idl = Idl.objects.create(team=actor.team, name=name, program_id=program_id, document=document)
        audit.record(actor, "idl_created", "idl", idl.id, target_name=name, program_id=program_id)
    return idl


def idl_update(*, actor: Actor, idl: Idl, changes: Mapping[str, Any]) -> Idl:
    """Change `name`, `document` or `program_id`.

    Raises:
        Invalid: the document is no Anchor IDL, or of another program.
        Refused: the team has an IDL of that name.
    """
    name = changes.get("name", idl.name)
    with refusing_duplicates(NAME_IS_UNIQUE, f"there is an IDL {name} already"):
        idl = _lock(idl)
        document = changes.get("document", idl.document)
        program_id = _program(document, changes.get("program_id", None if "document" in changes else idl.program_id))
        values = {"name": name, "document": document, "program_id": program_id}
        changed = [field for field, value in values.items() if getattr(idl, field) != value]
        if changed:
            write(idl, values, also=["updated_at"])
            audit.record(actor, "idl_updated", "idl", idl.id, target_name=name, changed=changed)
    return idl


@transaction.atomic
def idl_delete(*, actor: Actor, idl: Idl) -> None:
    """Raises Refused while an enabled workflow decodes or encodes by it."""
    idl = _lock(idl)
    using = list(workflows_enabled_naming(team=actor.team, row_id=idl.id).values_list("name", flat=True)[:5])
    if using:
        raise Refused(f"enabled workflows use it: {', '.join(using)}", code="idl_in_use")
    audit.record(actor, "idl_deleted", "idl", idl.id, target_name=idl.name, program_id=idl.program_id)
    idl.delete()


def _program(document: Any, given: str | None) -> str:
    try:
        named = check_idl(document)
    except SpecErrors as error:
        raise invalid(error.errors) from error
    program_id = given or named
    if program_id is None or not is_address(program_id):
        raise invalid([SpecError("program_id", "not_an_address", "must be the program's address, in base58")])
    if named is not None and named != program_id:
        raise invalid([SpecError("program_id", "other_program", f"the document is the IDL of {named[:44]}")])
    return program_id


def _lock(idl: Idl) -> Idl:
    locked = Idl.objects.select_for_update().filter(pk=idl.pk).first()
    if locked is None:
        raise Missing("there is no such IDL")
    return locked
