from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from listener.models import AccountState, Gap, Subscription


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("kind", "address", "commitment", "checkpoint_slot", "events_seen", "generation", "updated_at")
    list_filter = ("kind", "commitment")
    search_fields = ("address",)
    show_full_result_count = False


@admin.register(AccountState)
class AccountStateAdmin(ReadOnlyAdmin):
    list_display = ("address", "subscription", "slot", "lamports", "owner")
    list_select_related = ("subscription",)
    search_fields = ("address",)
    show_full_result_count = False


@admin.register(Gap)
class GapAdmin(ReadOnlyAdmin):
    list_display = ("subscription", "status", "from_slot", "to_slot", "done_slot", "reason", "note", "created_at")
    list_filter = ("status", "reason")
    list_select_related = ("subscription",)
    show_full_result_count = False
