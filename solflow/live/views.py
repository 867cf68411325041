"""`/events/stream`: the connection that an open page keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.sessions import current
from solflow.live.hub import hub
from solflow.live.streams import Stream, topics_of


@require_safe
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events that name what changed among `?topics=`, since `?since=` or the `Last-Event-ID` header.

    403 for who is no member of a team, without a detour to the sign-in page: nobody would see it.
    """
    opened = await sync_to_async(_reader)(request)
    if opened is None:
        return HttpResponse(status=403)
    since = request.headers.get("Last-Event-ID") or request.GET.get("since", "")
    response = StreamingHttpResponse(_told(opened, since), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    # nginx would gather what it passes on.
    response["X-Accel-Buffering"] = "no"
    return response


def _reader(request: HttpRequest) -> Stream | None:
    actor, user = getattr(request, "actor", None), request.user
    try:
        if not actor or user.pk is None:
            return None
        return Stream(
            team_id=actor.team.pk,
            user_id=user.pk,
            session_key=current(request),
            topics=topics_of(request.GET.get("topics", "")),
        )
    finally:
        # This thread lives as long as the stream; a connection that it kept would too.
        connections.close_all()


async def _told(opened: Stream, since: str) -> AsyncIterator[bytes]:
    hub.open(opened, since)
    try:
        async for text in opened.text():
            yield text
    finally:
        hub.close(opened)
