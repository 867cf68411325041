from workflows.models.address_list import AddressEntry, AddressList
from workflows.models.channel import Channel
from workflows.models.idl import Idl
from workflows.models.signer import Signer
from workflows.models.workflow import Workflow, WorkflowVersion

__all__ = ["AddressEntry", "AddressList", "Channel", "Idl", "Signer", "Workflow", "WorkflowVersion"]
