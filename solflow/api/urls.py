"""Where the API's resources live. Routes follow the URL, code follows the arrows: a view is where what it needs is."""

from __future__ import annotations

from django.urls import include, path, re_path, register_converter
from django.urls.converters import StringConverter
from rest_framework.routers import SimpleRouter

from accounts.api import AuditViewSet
from executions.api.channel import ChannelViewSet
from executions.api.delivery import DeliveryViewSet
from executions.api.execution import ExecutionViewSet
from executions.api.pause import PauseViewSet
from executions.api.signer import SignerViewSet
from listener.api import EndpointViewSet, GapViewSet, SubscriptionViewSet
from solflow.api.docs import DocsView, SchemaView
from solflow.api.errors import api_not_found
from solflow.api.stats import StatsViewSet
from solflow.api.workflow import WorkflowViewSet
from workflows.api.address_list import AddressListViewSet
from workflows.api.exchange import ExchangeViewSet
from workflows.api.idl import IdlViewSet


class ExecutionIdConverter(StringConverter):
    regex = "[0-9a-f]{64}"


register_converter(ExecutionIdConverter, "execution_id")

router = SimpleRouter(use_regex_path=False)
router.register("workflows", WorkflowViewSet, basename="api-workflow")
router.register("executions", ExecutionViewSet, basename="api-execution")
router.register("signers", SignerViewSet, basename="api-signer")
router.register("channels", ChannelViewSet, basename="api-channel")
router.register("deliveries", DeliveryViewSet, basename="api-delivery")
router.register("address-lists", AddressListViewSet, basename="api-address-list")
router.register("idls", IdlViewSet, basename="api-idl")
router.register("subscriptions", SubscriptionViewSet, basename="api-subscription")
router.register("gaps", GapViewSet, basename="api-gap")
router.register("rpc-endpoints", EndpointViewSet, basename="api-rpc-endpoint")
router.register("audit", AuditViewSet, basename="api-audit")

v1 = [
    path("workflows/export/", ExchangeViewSet.as_view({"get": "retrieve"}), name="api-workflow-export"),
    path("workflows/import/", ExchangeViewSet.as_view({"post": "create"}), name="api-workflow-import"),
    *router.urls,
    path("pause/", PauseViewSet.as_view({"get": "retrieve", "post": "create", "delete": "destroy"}), name="api-pause"),
    path("stats/", StatsViewSet.as_view({"get": "retrieve"}), name="api-stats"),
]

urlpatterns = [
    path("v1/", include(v1)),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    re_path("^(?P<path>.*)$", api_not_found),
]
