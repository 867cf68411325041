"""Teams own everything; members have one role each; an installation is one database with its chain."""

from __future__ import annotations

import uuid
from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Role(models.TextChoices):
    """What a member may do; each role includes the ones before it."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    ADMIN = "admin", "Admin"


class Installation(models.Model):
    """The one row about this database as a whole. Locked FOR SHARE by whoever is about to sign: see executions.limits.

    `epoch` tells this database from a restored copy; `genesis_hash` is that of the chain it belongs to, empty until the
    listener or a worker first speaks to it. While `restored_at` is set the database may not know what it has paid: it
    stays paused until `reconcile --after-restore` has asked the chain.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    epoch = models.UUIDField(default=uuid.uuid4)
    genesis_hash = models.CharField(max_length=44, blank=True, default="")
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.TextField(blank=True, default="")
    restored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="installation_is_one_row")]

    def __str__(self) -> str:
        return f"installation {self.epoch}"


class Team(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_role_in_a_team")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class ApiToken(models.Model):
    """A token of a user in a team. Only its SHA-256 is kept: it has 256 random bits, so a slow hash adds nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    shown = models.CharField(max_length=12, editable=False, help_text="The first characters, to recognise it by.")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.shown}…)"


class SecondFactor(models.Model):
    """A user's time-based codes (accounts.second_factor). Until `enabled_at` it is being set up, and not asked for.

    `box` is the seed, locked under SECRET_KEY; `recovery` holds the SHA-256 of the recovery codes that are left.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="second_factor"
    )
    box = models.BinaryField(editable=False)
    enabled_at = models.DateTimeField(null=True, blank=True)
    # A code is used once: only those of later periods are taken.
    last_step = models.BigIntegerField(default=0, editable=False)
    recovery = models.JSONField(default=list, editable=False)

    def __str__(self) -> str:
        return str(self.user)


class Passkey(models.Model):
    """A WebAuthn credential of a user with a second factor: at signing in it stands for a code.

    Nothing in it is a secret. `credential` is what the authenticator attested: its model, the credential's id and its
    public key. `rp_id` is the host name for which it was made; browsers offer it nowhere else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=100)
    rp_id = models.CharField(max_length=253, editable=False)
    # Unique over all users, as WebAuthn wants it: what somebody else's authenticator has made is nobody else's.
    credential_id = models.BinaryField(unique=True, editable=False)
    credential = models.BinaryField(editable=False)
    sign_count = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"


class PasskeyChallenge(models.Model):
    """What one answer of one authenticator must sign. Whoever uses it deletes it, so that it is used once."""

    class Purpose(models.TextChoices):
        REGISTER = "register", "Register"
        SIGN_IN = "sign_in", "Sign in"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    challenge = models.BinaryField(editable=False)
    # Of the passkey that is being registered.
    name = models.CharField(max_length=100, blank=True, default="")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user}"


class Session(AbstractBaseSession):
    """A browser that is or was signed in (accounts.sessions). `session_key` is a digest of the key in its cookie."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+", editable=False
    )
    address = models.GenericIPAddressField(null=True, editable=False)
    device = models.CharField(max_length=200, blank=True, default="", editable=False)
    seen_at = models.DateTimeField(null=True, editable=False)

    @classmethod
    def get_session_store_class(cls) -> type[Any]:
        from accounts.sessions import SessionStore

        return SessionStore


class Invitation(models.Model):
    """A link that makes one person a member, once. Like a token it is kept as its SHA-256 only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role.choices)
    name = models.CharField(max_length=200, help_text="Whom it is for, as the admin wrote it.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.role})"


class IdempotencyKey(models.Model):
    """The answer that a request with an `Idempotency-Key` got, for 24 hours (accounts.idempotency)."""

    id = models.BigAutoField(primary_key=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Who asked, by the user's id, and at which path.
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "route", "key"], name="one_answer_of_a_key")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class AuditEntry(models.Model):
    """Who did what, written in the transaction that did it (accounts.audit). The database refuses to change it."""

    id = models.BigAutoField(primary_key=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    # By the database's clock and nobody else's: the trigger refuses a time that was given.
    at = models.DateTimeField(db_default=Now(), editable=False)
    actor = models.CharField(max_length=200)
    address = models.GenericIPAddressField(null=True)
    action = models.CharField(max_length=50)
    target_type = models.CharField(max_length=30)
    target_id = models.CharField(max_length=64)
    target_name = models.CharField(max_length=200, blank=True, default="")
    detail = models.JSONField(default=dict)

    class Meta:
        # The audit page and API read one team's newest entries.
        indexes = [models.Index(fields=["team", "-id"], name="audit_of_a_team")]
        verbose_name_plural = "audit entries"
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="never_truncated",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'audit entries are never truncated';",
            ),
            pgtrigger.Trigger(
                name="id_and_time_are_the_databases",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="IF NEW.id <> currval(pg_get_serial_sequence('accounts_auditentry', 'id'))"
                " OR NEW.at <> statement_timestamp() THEN"
                " RAISE EXCEPTION 'an audit entry gets its id and time from the database'; END IF; RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="waits_for_a_seal",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="made"),
                func="INSERT INTO accounts_auditunsealed (entry_id) SELECT id FROM made; RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_type} {self.target_id}"


class AuditUnsealed(models.Model):
    """An entry that is in no seal yet. Written by a trigger of the entries, so that the sealer sees an entry when it is
    committed, whatever the order in which ids commit, and writers wait for nobody."""

    entry_id = models.BigIntegerField(primary_key=True)


class AuditSeal(models.Model):
    """A link of the chain over the audit entries (accounts.seals). Only `entry_ids` is given; the database computes the
    rest: one digest for each entry, and the hash over the previous seal's hash and these digests."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    entry_ids = ArrayField(models.BigIntegerField())
    digests = ArrayField(models.CharField(max_length=64), db_default=[], editable=False)
    previous = models.CharField(max_length=64, db_default="", editable=False)
    hash = models.CharField(max_length=64, db_default="", editable=False)

    class Meta:
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="never_truncated",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'audit seals are never truncated';",
            ),
            pgtrigger.Trigger(
                name="computed_by_the_database",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="NEW := accounts_audit_seal(NEW); RETURN NEW;",
            ),
        ]

    def __str__(self) -> str:
        return f"seal {self.id}"
