from __future__ import annotations

import uuid

from django.db import models

from accounts.models import Team


class Idl(models.Model):
    """An Anchor IDL document of a program, by which events are decoded and instructions encoded."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="idls")
    name = models.CharField(max_length=200)
    program_id = models.CharField(max_length=44)
    document = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_idl_of_a_name")]

    def __str__(self) -> str:
        return self.name
