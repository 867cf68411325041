"""What processes say of themselves."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """A process that was alive at `at`: workers and listeners write theirs, /readyz and the dashboard read."""

    name = models.CharField(max_length=100, primary_key=True)
    kind = models.CharField(max_length=10)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name


class Tally(models.Model):
    """What all processes together have counted of one series in one hour (executions.tallies)."""

    hour = models.DateTimeField()
    name = models.CharField(max_length=100, db_collation="C")
    labels = models.CharField(max_length=500, db_collation="C", help_text="JSON with sorted keys.")
    value = models.FloatField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(fields=["hour", "name", "labels"], name="one_tally_of_a_series_and_hour")
        ]

    def __str__(self) -> str:
        return f"{self.name}{self.labels}"
