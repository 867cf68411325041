"""Where pages live. Routes follow the URL, code follows the arrows: a view is where what it needs is."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import include, path

import accounts.views
from accounts.people import passkeys, second_factor, sign_in
from accounts.people import sessions as own_sessions
from accounts.people import views as people
from executions.views import approval, delivery, listing, message, pause, resolution
from executions.views import channel as channels
from executions.views import execution as executions
from executions.views import signer as signers
from listener.views import endpoints
from solflow.views import builder, resources, versions
from solflow.views import workflow as watched
from solflow.views.overview import overview
from workflows.views import address_list, channel, exchange, gallery, idl, signer, webhook_secret, workflow

workflow_pages = [
    path("", watched.index, name="list"),
    path("new/", workflow.start, name="start"),
    path("new/json/", workflow.create, name="create"),
    path("export/", exchange.export_all, name="export-all"),
    path("import/", exchange.import_, name="import"),
    path("templates/", gallery.index, name="gallery"),
    path("templates/<slug:slug>/", gallery.use, name="recipe"),
    path("<uuid:workflow_id>/", watched.detail, name="detail"),
    path("<uuid:workflow_id>/edit/", watched.edit, name="edit"),
    path("<uuid:workflow_id>/builder/", builder.builder, name="builder"),
    path("<uuid:workflow_id>/builder/json/", builder.edit_json, name="builder-json"),
    path("<uuid:workflow_id>/builder/test/", builder.test_run, name="builder-test"),
    path("<uuid:workflow_id>/builder/publish/", builder.publish, name="publish"),
    path("<uuid:workflow_id>/builder/discard/", builder.discard, name="discard"),
    path("<uuid:workflow_id>/versions/", versions.index, name="versions"),
    path("<uuid:workflow_id>/versions/<int:number>/return/", versions.return_to, name="return"),
    path("<uuid:workflow_id>/export/", exchange.export, name="export"),
    path("<uuid:workflow_id>/duplicate/", exchange.duplicate, name="duplicate"),
    path("<uuid:workflow_id>/enable/", watched.enable, name="enable"),
    path("<uuid:workflow_id>/disable/", workflow.disable, name="disable"),
    path("<uuid:workflow_id>/pause/", pause.pause_workflow, name="pause"),
    path("<uuid:workflow_id>/resume/", pause.resume_workflow, name="resume"),
    path("<uuid:workflow_id>/run/", executions.run, name="run"),
    path("<uuid:workflow_id>/webhook-secret/", webhook_secret.make, name="webhook-secret"),
]
execution_pages = [
    path("", listing.index, name="list"),
    path("retry/", listing.retry, name="retry-marked"),
    path("<execution_id:execution_id>/", executions.execution_page, name="detail"),
    path("<execution_id:execution_id>/retry/", executions.retry, name="retry"),
    path("<execution_id:execution_id>/replay/", executions.replay, name="replay"),
    path("<execution_id:execution_id>/answer/", approval.answer, name="answer"),
    path("<execution_id:execution_id>/resolve/", resolution.resolve, name="resolve"),
]
signer_pages = [
    path("", resources.signers, name="list"),
    path("new/", signer.create, name="create"),
    path("<uuid:signer_id>/", signers.detail, name="detail"),
    path("<uuid:signer_id>/pause/", pause.pause_signer, name="pause"),
    path("<uuid:signer_id>/resume/", pause.resume_signer, name="resume"),
]
address_list_pages = [
    path("", address_list.index, name="list"),
    path("new/", address_list.create, name="create"),
    path("<uuid:list_id>/", address_list.detail, name="detail"),
    path("<uuid:list_id>/edit/", address_list.edit, name="edit"),
    path("<uuid:list_id>/add/", address_list.add, name="add"),
    path("<uuid:list_id>/remove/", address_list.remove, name="remove"),
    path("<uuid:list_id>/delete/", address_list.delete, name="delete"),
]
idl_pages = [
    path("", idl.index, name="list"),
    path("new/", idl.create, name="create"),
    path("<uuid:idl_id>/", idl.detail, name="detail"),
    path("<uuid:idl_id>/delete/", idl.delete, name="delete"),
]
channel_pages = [
    path("", resources.channels, name="list"),
    path("new/", channel.create, name="create"),
    path("<uuid:channel_id>/", channels.detail, name="detail"),
    path("<uuid:channel_id>/edit/", channel.edit, name="edit"),
    path("<uuid:channel_id>/test/", channels.test, name="test"),
    path("<uuid:channel_id>/signing-secret/", channel.signing_secret, name="signing-secret"),
    path("<uuid:channel_id>/enable/", channel.enable, name="enable"),
    path("<uuid:channel_id>/disable/", channel.disable, name="disable"),
    path("<uuid:channel_id>/delete/", channel.delete, name="delete"),
]
notification_pages = [
    path("", delivery.index, name="list"),
    path("preview/", message.preview, name="preview"),
    path("resend/", delivery.resend_all, name="resend-all"),
    path("<int:delivery_id>/resend/", delivery.resend, name="resend"),
]
settings_pages = [
    path("", people.own, name="own"),
    path("password/", people.PasswordView.as_view(), name="password"),
    path("second-factor/", second_factor.set_up, name="second-factor"),
    path("second-factor/begin/", second_factor.begin, name="second-factor-begin"),
    path("second-factor/codes/", second_factor.renew_codes, name="second-factor-codes"),
    path("second-factor/end/", second_factor.end, name="second-factor-end"),
    path("passkeys/new/", passkeys.new, name="passkey-create"),
    path("passkeys/made/", passkeys.made, name="passkey-made"),
    path("passkeys/<uuid:passkey_id>/remove/", passkeys.remove, name="passkey-remove"),
    path("sessions/end/", own_sessions.end_others, name="sessions-end"),
    path("sessions/<slug:session_id>/end/", own_sessions.end, name="session-end"),
    path("tokens/new/", people.token_new, name="token-create"),
    path("tokens/<uuid:token_id>/revoke/", people.token_end, name="token-revoke"),
]
team_pages = [
    path("", people.team, name="members"),
    path("invite/", people.invite, name="invite"),
    path("invitations/<uuid:invitation_id>/revoke/", people.invitation_end, name="invitation-revoke"),
    path("<int:member_id>/role/", people.role, name="role"),
    path("<int:member_id>/remove/", people.remove, name="remove"),
]

urlpatterns = [
    path("", overview, name="overview"),
    path("login/", sign_in.SignInView.as_view(), name="login"),
    path("login/code/", sign_in.code, name="login-code"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("pause/", pause.pause_all, name="pause"),
    path("resume/", pause.resume_all, name="resume"),
    path("workflows/", include((workflow_pages, "workflows"))),
    path("executions/", include((execution_pages, "executions"))),
    path("signers/", include((signer_pages, "signers"))),
    path("address-lists/", include((address_list_pages, "address-lists"))),
    path("idls/", include((idl_pages, "idls"))),
    path("channels/", include((channel_pages, "channels"))),
    path("notifications/", include((notification_pages, "notifications"))),
    path("invitations/<str:text>/", people.accept, name="invitation"),
    path("settings/", include((settings_pages, "settings"))),
    path("team/", include((team_pages, "team"))),
    path("endpoints/", endpoints, name="endpoints"),
    path("audit/", accounts.views.audit, name="audit"),
]
