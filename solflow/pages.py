"""Where pages live. Routes follow the URL, code follows the arrows: a view is where what it needs is."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

import accounts.views
from executions import views as executions
from solflow.views import resources
from solflow.views import workflow as watched
from solflow.views.overview import overview
from workflows.views import channel, signer, workflow

workflow_pages = [
    path("", watched.index, name="list"),
    path("new/", workflow.create, name="create"),
    path("<uuid:workflow_id>/", watched.detail, name="detail"),
    path("<uuid:workflow_id>/edit/", watched.edit, name="edit"),
    path("<uuid:workflow_id>/enable/", watched.enable, name="enable"),
    path("<uuid:workflow_id>/disable/", workflow.disable, name="disable"),
    path("<uuid:workflow_id>/pause/", workflow.pause, name="pause"),
    path("<uuid:workflow_id>/resume/", workflow.resume, name="resume"),
    path("<uuid:workflow_id>/run/", executions.run, name="run"),
]
execution_pages = [
    path("", executions.execution_index, name="list"),
    path("<execution_id:execution_id>/", executions.execution_page, name="detail"),
    path("<execution_id:execution_id>/retry/", executions.retry, name="retry"),
    path("<execution_id:execution_id>/replay/", executions.replay, name="replay"),
]
signer_pages = [
    path("", resources.signers, name="list"),
    path("new/", signer.create, name="create"),
    path("<uuid:signer_id>/pause/", signer.pause, name="pause"),
    path("<uuid:signer_id>/resume/", signer.resume, name="resume"),
]
channel_pages = [
    path("", resources.channels, name="list"),
    path("new/", channel.create, name="create"),
    path("<uuid:channel_id>/test/", executions.test_channel, name="test"),
]

urlpatterns = [
    path("", overview, name="overview"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("pause/", executions.pause_all, name="pause"),
    path("resume/", executions.resume_all, name="resume"),
    path("workflows/", include((workflow_pages, "workflows"))),
    path("executions/", include((execution_pages, "executions"))),
    path("signers/", include((signer_pages, "signers"))),
    path("channels/", include((channel_pages, "channels"))),
    path("audit/", accounts.views.audit, name="audit"),
]
