from workflows.models.address_list import AddressEntry, AddressList
from workflows.models.channel import Channel
from workflows.models.idl import Idl
from workflows.models.schedule import Schedule
from workflows.models.signer import Signer
from workflows.models.webhook_secret import WebhookSecret
from workflows.models.workflow import Workflow, WorkflowVersion

__all__ = [
    "AddressEntry",
    "AddressList",
    "Channel",
    "Idl",
    "Schedule",
    "Signer",
    "WebhookSecret",
    "Workflow",
    "WorkflowVersion",
]
