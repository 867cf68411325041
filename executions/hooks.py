"""The door of webhook triggers: `POST /hooks/<workflow id>/`. Verify, then intake.

In this order, so that each step costs no more than who got there has shown to be worth:

1. so many requests a second from one address (429);
2. a body of at most 1 MiB (413);
3. an enabled workflow with a webhook trigger; whatever else the id names or does not name is the same 404;
4. the signature, or the Authorization header (401);
5. so many messages a second for the workflow (429);
6. the event, in one transaction. A message that came before is answered as it was then, and runs nothing.

No session, no cookie, no CSRF token: what the sender knows is all there is.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterable, Mapping
from uuid import UUID

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import addresses
from accounts.locking import LockError
from chain.events import webhook_event
from executions import hook_limits
from executions.definitions import spec_of
from executions.intake import Match, execution_id, take
from executions.webhook_requests import message_id, parsed_body, safe_headers
from executions.webhook_signatures import is_signed
from workflows.models import WebhookSecret, Workflow
from workflows.selectors import webhook_secrets_valid
from workflows.services.webhook_secret import header_digest, signing_key
from workflows.specs import triggers

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1_048_576


@csrf_exempt
@require_POST
def receive(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """202 with the execution id, the same for the same message."""
    if not hook_limits.allows(f"address:{addresses.counted(addresses.of(request))}", hook_limits.PER_ADDRESS_S):
        return _too_many()
    raw = request.read(MAX_BODY_BYTES + 1)
    if len(raw) > MAX_BODY_BYTES:
        return _refusal(413, "too_large", f"the body is larger than {MAX_BODY_BYTES} bytes")
    workflow = _listening(workflow_id)
    if workflow is None:
        return _nothing_here()
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not _is_proven(workflow, headers, raw):
        return _refusal(401, "not_authenticated", "the signature or the Authorization header is missing or wrong")
    if not hook_limits.allows(f"workflow:{workflow_id}", hook_limits.PER_WORKFLOW_S):
        return _too_many()
    message = message_id(headers, raw)
    if message is None:
        return _refusal(400, "invalid", "webhook-id must be 1 to 256 printable ASCII characters")
    taken = _take(workflow_id, message, headers, raw)
    return _nothing_here() if taken is None else JsonResponse({"execution_id": taken}, status=202)


def _listening(workflow_id: UUID) -> Workflow | None:
    """One query, whatever there is: how long it takes does not tell an unknown workflow from a disabled one."""
    return Workflow.objects.filter(pk=workflow_id, enabled=True, trigger_type="webhook").first()


def _is_proven(workflow: Workflow, headers: Mapping[str, str], raw: bytes) -> bool:
    trigger = None if workflow.version_id is None else spec_of(workflow.version_id).trigger
    if not isinstance(trigger, triggers.Webhook):
        return False
    rows = webhook_secrets_valid(workflow=workflow, auth=trigger.auth)
    if trigger.auth == "header":
        # As it came, all of it: senders differ in whether they put `Bearer` before what they were told.
        given = header_digest(headers.get("authorization", ""))
        return any(hmac.compare_digest(row.digest, given) for row in rows)
    return is_signed(_keys(rows), headers, raw, time.time())


def _keys(rows: Iterable[WebhookSecret]) -> list[bytes]:
    keys = []
    for row in rows:
        try:
            keys.append(signing_key(row))
        except LockError as error:
            log.error("webhook_secret_unreadable", workflow=str(row.workflow_id), why=str(error))
    return keys


def _take(workflow_id: UUID, message: str, headers: Mapping[str, str], raw: bytes) -> str | None:
    """The execution's id; None where the workflow was disabled since it was looked at."""
    event = webhook_event(message, safe_headers(headers), parsed_body(raw))
    with transaction.atomic():
        workflow = _listening(workflow_id)
        if workflow is None or workflow.version_id is None:
            return None
        match = Match(workflow.id, workflow.version_id, workflow.team_id, workflow.dry_run, event)
        take([match], detected_at=timezone.now())
    return execution_id(workflow_id, event.key)


def _nothing_here() -> HttpResponse:
    return _refusal(404, "not_found", "there is nothing at this address")


def _too_many() -> HttpResponse:
    response = _refusal(429, "throttled", "too many requests; try again in a second")
    response["Retry-After"] = "1"
    return response


def _refusal(status: int, code: str, detail: str) -> HttpResponse:
    """In the shape of the API's errors."""
    return JsonResponse({"type": "client_error", "code": code, "detail": detail, "errors": []}, status=status)
