"""The shape of a preview: what a workflow would do with an event."""

from __future__ import annotations

from rest_framework import serializers


class RefusalSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


class PreviewedInstructionSerializer(serializers.Serializer):
    program_id = serializers.CharField()
    type = serializers.CharField(allow_null=True, help_text="`system.transfer`; null where nothing knows it.")
    values = serializers.DictField(help_text="Accounts and arguments by name, amounts in base units.")
    accounts = serializers.ListField(child=serializers.CharField())
    data_base64 = serializers.CharField()
    unknown = serializers.CharField(allow_null=True, help_text="Why it is not told.")


class BalanceChangeSerializer(serializers.Serializer):
    address = serializers.CharField(help_text="The account; of tokens its owner.")
    amount = serializers.IntegerField(help_text="Lamports, or base units of the mint; negative where it pays.")
    mint = serializers.CharField(allow_null=True, help_text="null for lamports.")
    decimals = serializers.IntegerField()


class PreviewedTransactionSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["simulated", "failed"])
    slot = serializers.IntegerField(allow_null=True)
    fee_lamports = serializers.IntegerField(allow_null=True)
    compute_units = serializers.IntegerField(allow_null=True)
    logs = serializers.ListField(child=serializers.CharField())
    outflow_lamports = serializers.IntegerField(allow_null=True, help_text="Fee and rent included.")
    outflow_tokens = serializers.DictField(child=serializers.IntegerField(), help_text="{mint: base units}")
    recipients = serializers.ListField(child=serializers.CharField())
    programs = serializers.ListField(child=serializers.CharField())
    instructions = PreviewedInstructionSerializer(many=True, help_text="Those of the message; not what they cause.")
    changes = BalanceChangeSerializer(many=True, help_text="Every balance that would change.")


class PreviewedMessageSerializer(serializers.Serializer):
    channel = serializers.CharField()
    channel_name = serializers.CharField()
    channel_type = serializers.CharField()
    outcome = serializers.CharField()
    sent = serializers.BooleanField(help_text="Whether the notification's `on` has this outcome.")
    title = serializers.CharField()
    text = serializers.CharField()
    color = serializers.IntegerField()
    lines = serializers.ListField(child=serializers.DictField())
    payload = serializers.DictField(allow_null=True, help_text="What the channel would be sent, where that is JSON.")
    error = RefusalSerializer(allow_null=True)


class PreviewSerializer(serializers.Serializer):
    event = serializers.DictField(allow_null=True, help_text="null for a transaction that is nothing to the trigger.")
    source = serializers.ChoiceField(choices=["sample", "given", "past", "transaction"])
    version = serializers.IntegerField(allow_null=True, help_text="null for a draft or another definition.")
    matches = serializers.BooleanField(help_text="Whether the trigger asks for such an event.")
    status = serializers.CharField(allow_null=True, help_text="How it would end; null when the trigger does not match.")
    paused = RefusalSerializer(many=True, help_text="Pauses for whose end it would wait first.")
    filter_met = serializers.BooleanField(allow_null=True)
    filter_trace = serializers.DictField(allow_null=True, help_text="The filter, with what each condition saw.")
    transaction = PreviewedTransactionSerializer(allow_null=True)
    limits = RefusalSerializer(many=True, help_text="Every limit that would refuse it.")
    needs_approval = serializers.BooleanField()
    error = RefusalSerializer(allow_null=True)
    notifications = PreviewedMessageSerializer(many=True)
