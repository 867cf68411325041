"""Every address of SolFlow."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from accounts.people.sign_in import AdminSignInView
from executions import hooks
from solflow import health
from solflow.inbox.urls import urlpatterns as inbox
from solflow.live.views import stream

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/", include("solflow.api.urls")),
    path("hooks/<uuid:workflow_id>/", hooks.receive, name="hook"),
    path("events/stream", stream, name="events"),
    path("admin/login/", AdminSignInView.as_view()),
    path("admin/", admin.site.urls),
    *inbox,
    path("", include("solflow.pages")),
]

handler400 = "solflow.api.errors.bad_request"
handler403 = "solflow.api.errors.forbidden"
handler404 = "solflow.api.errors.not_found"
handler500 = "solflow.api.errors.server_error"
