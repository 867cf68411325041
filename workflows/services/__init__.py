"""The only writers of workflows and of what they use, by resource."""

from workflows.services.address_list import (
    address_list_amend,
    address_list_create,
    address_list_delete,
    address_list_update,
)
from workflows.services.channel import channel_create, channel_delete, channel_secret_make, channel_update
from workflows.services.draft import draft_discard, draft_save
from workflows.services.exchange import Imported, workflow_duplicate, workflows_import
from workflows.services.idl import idl_create, idl_delete, idl_update
from workflows.services.signer import signer_create, signer_delete, signer_pause, signer_resume, signer_update
from workflows.services.webhook_secret import webhook_secret_make
from workflows.services.workflow import (
    workflow_check_enabling,
    workflow_create,
    workflow_delete,
    workflow_disable,
    workflow_enable,
    workflow_pause,
    workflow_publish,
    workflow_resume,
    workflow_update,
)

__all__ = [
    "Imported",
    "address_list_amend",
    "address_list_create",
    "address_list_delete",
    "address_list_update",
    "channel_create",
    "channel_delete",
    "channel_secret_make",
    "channel_update",
    "draft_discard",
    "draft_save",
    "idl_create",
    "idl_delete",
    "idl_update",
    "signer_create",
    "signer_delete",
    "signer_pause",
    "signer_resume",
    "signer_update",
    "webhook_secret_make",
    "workflow_check_enabling",
    "workflow_create",
    "workflow_delete",
    "workflow_disable",
    "workflow_duplicate",
    "workflow_enable",
    "workflow_pause",
    "workflow_publish",
    "workflow_resume",
    "workflow_update",
    "workflows_import",
]
