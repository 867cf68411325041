"""The inbox's routes. Without the setting SOLFLOW_INBOX they do not exist."""

from __future__ import annotations

from django.conf import settings
from django.urls import path, re_path

from solflow.inbox import views

urlpatterns = (
    [
        path("inbox/", views.messages, name="inbox"),
        re_path(
            r"^inbox/api/webhooks/(?P<webhook_id>\d{1,20})/(?P<token>[\w-]{1,200})$",
            views.webhook,
            name="inbox-webhook",
        ),
    ]
    if settings.SOLFLOW_INBOX
    else []
)
