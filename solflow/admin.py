"""Admin pages whose actions need more than their own app."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from executions.services import execution_run
from listener.services import workflow_enable
from workflows.admin import WorkflowAdmin as UnwatchedWorkflowAdmin
from workflows.models import Workflow


@admin.register(Workflow)
class WorkflowAdmin(UnwatchedWorkflowAdmin):
    actions = ("enable", *UnwatchedWorkflowAdmin.actions, "run")

    @admin.action(description="Enable", permissions=["operate"])
    def enable(self, request: HttpRequest, rows: QuerySet[Workflow]) -> None:
        self.serve(request, rows, lambda actor, row: workflow_enable(actor=actor, workflow=row), "Enabled")

    @admin.action(description="Run now", permissions=["operate"])
    def run(self, request: HttpRequest, rows: QuerySet[Workflow]) -> None:
        self.serve(request, rows, lambda actor, row: execution_run(actor=actor, workflow=row, data={}), "Started")
