"""Finding executions by what people have in their hands: an id, a signature, an address, or their beginnings.

What is looked for is resolved into ids and workflows first, by an index each, and the list is then narrowed to those:
one statement with all the alternatives would make PostgreSQL read the whole history to find that nothing matches.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Collate

from executions.models import Attempt, Execution, ExecutionKey
from workflows.models import Workflow

# Shorter beginnings would be a search through everything.
MIN_PREFIX = 6
HEX = re.compile(r"[0-9a-f]{1,64}")
BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{1,88}")
LONGEST_ADDRESS, SHORTEST_ADDRESS = 44, 32
LONGEST_SIGNATURE = 88
# As many as have one beginning; more than these are no longer a find.
MOST_FOUND = 500
# As the indexes have them.
ACCOUNT = Collate(KT("event__account"), "C")
SIGNATURE = Collate(KT("event__signature"), "C")


def found_by_text(rows: QuerySet[Execution], text: str) -> QuerySet[Execution]:
    """Those of `rows`, a team's executions, that the text names.

    It names an execution by the beginning of its id, of the signature of a transaction that it sent or that its event
    came from, or of its event's account (MIN_PREFIX characters or more each), or by a part of its workflow's name.
    """
    text = text.strip()
    found = Q(id__in=_ids(text))
    if workflows := list(Workflow.objects.filter(name__icontains=text).values_list("id", flat=True)):
        found |= Q(workflow__in=workflows)
    # Asked first, because an alternative that finds nothing would still cost the others their index.
    if (of_account := _of_account(text)) and rows.alias(account=ACCOUNT).filter(of_account).exists():
        found |= of_account
    return rows.alias(account=ACCOUNT).filter(found)


def found_by_signature(rows: QuerySet[Execution], signature: str) -> QuerySet[Execution]:
    """Those that sent the transaction of this signature, or whose event came from it."""
    sent = Attempt.objects.filter(signature=signature).values_list("execution_id", flat=True)
    caused = Execution.objects.alias(signature=SIGNATURE).filter(signature=signature).values_list("id", flat=True)
    return rows.filter(id__in=list(sent.union(caused, all=True)[:MOST_FOUND]))


def _ids(text: str) -> list[int]:
    """Of every team; the caller's rows are one team's."""
    if len(text) < MIN_PREFIX:
        return []
    sources: list[QuerySet[Any, int]] = []
    if HEX.fullmatch(text):
        sources.append(ExecutionKey.objects.filter(execution_id__startswith=text).values_list("id", flat=True))
    if BASE58.fullmatch(text):
        sources.append(Attempt.objects.filter(signature__startswith=text).values_list("execution_id", flat=True))
        caused = Execution.objects.alias(signature=SIGNATURE).filter(signature__startswith=text)
        sources.append(caused.values_list("id", flat=True))
    if not sources:
        return []
    return list(sources[0].union(*sources[1:], all=True)[:MOST_FOUND])


def _of_account(text: str) -> Q:
    """Empty for what cannot be an account, or its beginning."""
    if not MIN_PREFIX <= len(text) <= LONGEST_ADDRESS or not BASE58.fullmatch(text):
        return Q()
    # A whole address is asked for as one: its executions then come in the index's order, newest first.
    return Q(account=text) if len(text) >= SHORTEST_ADDRESS else Q(account__startswith=text)
