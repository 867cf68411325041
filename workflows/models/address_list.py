from __future__ import annotations

import uuid

from django.db import models

from accounts.models import Team


class AddressList(models.Model):
    """Named addresses: labels beside addresses everywhere, and what `in_list` looks in.

    `version` grows with every change of its entries, so that a filter's trace can say which list it saw.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="address_lists")
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_list_of_a_name")]

    def __str__(self) -> str:
        return self.name


class AddressEntry(models.Model):
    list = models.ForeignKey(AddressList, on_delete=models.CASCADE, related_name="entries")
    address = models.CharField(max_length=44)
    label = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "address"], name="an_address_once_in_a_list")]
        verbose_name_plural = "address entries"

    def __str__(self) -> str:
        return self.label or self.address
