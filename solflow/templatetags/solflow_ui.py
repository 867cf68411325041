"""What the templates call; the look of each value is decided in solflow/ui."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, Textarea
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from solflow.ui import browsers, charts, code, definition, discord, events, logs, statuses, text, timeline, trace

register = template.Library()

register.filter("plain", text.plain)
register.filter("short", text.short)
register.filter("grouped", text.grouped)
register.filter("words", text.words)
register.filter("sol", text.sol)
register.filter("duration", text.duration)
register.filter("day_utc", text.day_utc)
register.filter("initials", text.initials)
register.filter("browser", browsers.browser)
register.filter("pretty_json", code.pretty_json)
register.filter("json_spans", code.highlight_json)
register.filter("log_rows", logs.log_rows)
register.filter("event_words", events.event_words)
register.filter("discord_message", discord.discord_message)


@register.filter
def elapsed_ms(end: datetime | None, start: datetime | None) -> float | None:
    """Milliseconds from the argument to the value: `{{ row.completed_at|elapsed_ms:row.created_at|duration }}`."""
    return text.elapsed_ms(start, end)


@register.filter
def total(counts: Mapping[str, int]) -> int:
    """The sum of `{status: count}`."""
    return sum(counts.values())


@register.filter
def success_percent(counts: Mapping[str, int]) -> str:
    """Successes among those that tried, in percent with one decimal; an en dash when none did."""
    tried = counts.get("success", 0) + counts.get("failed", 0)
    return f"{counts.get('success', 0) * 100 / tried:.1f}" if tried else "–"


@register.filter
def item(mapping: Mapping[Any, Any], key: Any) -> Any:
    """`mapping[key]`, or None: templates cannot look up by a variable."""
    return mapping.get(key)


@register.filter
def share_percent(part: int, whole: int) -> int:
    """`part` of `whole` in whole percent, rounded down."""
    return part * 100 // whole


@register.filter
def percent_of(part: int, whole: int) -> str:
    """`part` of `whole` with one decimal, `<0.1 %` for what would read as nothing; an en dash of nothing."""
    if not whole:
        return "–"
    return "<0.1 %" if 0 < part * 1000 < whole else f"{part * 100 / whole:.1f} %"


@register.filter
def cut_underscores(name: str) -> str:
    """`program_account` as `Program account`."""
    return name.replace("_", " ").capitalize()


@register.filter
def joined(prefix: str, value: object) -> str:
    """One id from two parts."""
    return f"{prefix}{value}"


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon of static/icons.svg; decoration, so the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon{}{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        " " if css else "",
        css,
        static("icons.svg"),
        name,
    )


def _status(look: statuses.Look, css: str) -> SafeString:
    return format_html(
        '<span class="status {}{}{}">{}{}</span>', look.css, " " if css else "", css, icon(look.icon), look.word
    )


@register.simple_tag
def execution_status(execution: Any, css: str = "") -> SafeString:
    """The pill of an execution, from its status, what it waits for and whether it was a dry run."""
    return _status(statuses.execution_look(execution.status, execution.waiting_for, execution.dry_run), css)


@register.simple_tag
def workflow_status(workflow: Any, css: str = "") -> SafeString:
    """The pill of a workflow."""
    return _status(statuses.workflow_look(workflow.enabled, bool(workflow.paused_at)), css)


@register.simple_tag
def transaction_status(status: str, css: str = "") -> SafeString:
    """The pill of an attempt's or a simulated transaction's status."""
    return _status(statuses.TRANSACTION[status], css)


@register.simple_tag
def delivery_status(status: str, css: str = "") -> SafeString:
    """The pill of a message's status."""
    return _status(statuses.DELIVERY[status], css)


@register.simple_tag
def endpoint_status(endpoint: Mapping[str, Any], css: str = "") -> SafeString:
    """The pill of an HTTP endpoint, as a listener's heartbeat tells it."""
    return _status(statuses.endpoint_look(endpoint["state"], endpoint.get("slot_lag")), css)


@register.simple_tag
def socket_status(is_open: bool, css: str = "") -> SafeString:
    """The pill of a WebSocket connection."""
    return _status(statuses.SOCKET[is_open], css)


@register.simple_tag
def gap_status(status: str, css: str = "") -> SafeString:
    """The pill of a gap's status."""
    return _status(statuses.GAP[status], css)


@register.filter
def in_ms(seconds: float | None) -> float | None:
    """Seconds as milliseconds, for `duration`."""
    return None if seconds is None else seconds * 1000


@register.simple_tag
def delivery_looks() -> list[tuple[str, statuses.Look]]:
    """Every status of a message with its look, for the list's filter."""
    return list(statuses.DELIVERY.items())


@register.simple_tag
def execution_looks() -> list[tuple[str, statuses.Look]]:
    """Every status of an execution with its look, for the list's filter."""
    return list(statuses.EXECUTION.items())


@register.simple_tag
def workflow_looks() -> list[tuple[str, statuses.Look]]:
    """Every state of a workflow with its look, for the list's filter."""
    return list(statuses.WORKFLOW.items())


@register.simple_tag
def kind(name: str, icon_name: str, small: bool = False) -> SafeString:
    """The tinted tile of a step kind: trigger, filter, action or notify."""
    return format_html('<span class="kind k-{}{}">{}</span>', name, " kind-sm" if small else "", icon(icon_name))


@register.simple_tag
def trigger_kind(trigger_type: str, small: bool = False) -> SafeString:
    """The tile of a trigger type."""
    return kind("trigger", definition.TRIGGER_ICONS.get(trigger_type, "radio-tower"), small)


@register.simple_tag
def channel_kind(channel_type: str, small: bool = False) -> SafeString:
    """The tile of a channel type."""
    return kind("notify", definition.CHANNEL_ICONS.get(channel_type, "bell"), small)


@register.filter
def trigger_words(trigger_type: str) -> str:
    """A trigger type as people say it."""
    return definition.TRIGGER_WORDS.get(trigger_type, trigger_type)


@register.simple_tag(takes_context=True)
def address(
    context: Mapping[str, Any], value: str, ends: int = 4, label: str = "address", copy: bool = True
) -> SafeString:
    """An address or signature, shortened, whole in its title, with a button that copies all of it.

    What the team calls it stands before it, where the view has looked that up (`labels`).
    """
    shown = text.short(value, ends)
    called = context.get("labels", {}).get(value, "")
    name = format_html('<b class="called">{}</b>', text.plain(called)) if called else ""
    button = (
        format_html(
            '<button type="button" data-do="copy" data-copy="{}" aria-label="Copy {} {}">{}</button>',
            value,
            label,
            shown,
            icon("copy"),
        )
        if copy
        else ""
    )
    return format_html('<span class="addr">{}<span title="{}">{}</span>{}</span>', name, value, shown, button)


def _time(at: datetime, kind: str, shown: str) -> SafeString:
    """In UTC; static/times.js shows it by the reader's clock, or counts on, as `kind` says."""
    return format_html(
        '<time datetime="{}" title="{}" data-shows="{}">{}</time>', at.isoformat(), text.full_utc(at), kind, shown
    )


@register.simple_tag
def clock(value: datetime | str) -> SafeString:
    """The time of day; the exact UTC in the title."""
    at = text.instant(value)
    return _time(at, "clock", f"{at:%H:%M:%S}")


@register.simple_tag
def moment(value: datetime | str) -> SafeString:
    """Date and time, for places where the day matters."""
    at = text.instant(value)
    return _time(at, "moment", f"{text.day_utc(at)}, {at:%H:%M:%S} UTC")


@register.simple_tag
def ago(value: datetime | str) -> SafeString:
    """How long ago; the exact time in the title."""
    at = text.instant(value)
    return _time(at, "age", text.age(at, datetime.now(UTC)))


@register.simple_tag
def pipeline_of(document: Mapping[str, Any], channels: Mapping[str, Any] | None = None) -> definition.Pipeline:
    """The cards of a definition; `channels` by id gives their names."""
    return definition.pipeline(document, channels or {})


@register.simple_tag
def timeline_of(
    steps: Iterable[Mapping[str, Any]], failed_at: datetime | None = None, failure: str = ""
) -> timeline.Timeline:
    """The waterfall of an execution's steps, and of its failure if it has one."""
    return timeline.timeline(steps, failed_at, failure)


@register.simple_tag(name="event_words", takes_context=True)
def labelled_event_words(context: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """An event in one line; addresses by what the team calls them, where the view has looked that up."""
    return events.event_words(event, context.get("labels", {}))


@register.simple_tag
def trace_of(recorded: Mapping[str, Any]) -> trace.TraceNode:
    """The tree of what a filter saw."""
    return trace.trace_node(recorded)


@register.simple_tag
def histogram_of(buckets: Sequence[Mapping[str, Any]]) -> charts.Histogram:
    """The bars of a volume chart."""
    return charts.histogram(buckets)


@register.simple_tag
def sparkline_of(buckets: Sequence[Mapping[str, Any]], name: str) -> charts.Sparkline | None:
    """The line of one figure of the buckets: `total`, or one of their counts."""
    figures = ("success", "failed", "other") if name == "total" else (name,)
    return charts.sparkline(sum(bucket[figure] for figure in figures) for bucket in buckets)


@register.simple_tag
def problems_of(errors: Iterable[Any], source: str | None) -> list[code.Problem]:
    """The errors of a definition with the lines of its text that they stand on."""
    return code.problems_with_lines(errors, source or "")


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, **attributes: Any) -> dict[str, Any]:
    """Label, control, help and errors of a form field; `attributes` go onto the control (`class_` for class)."""
    css = attributes.pop("class_", "")
    if isinstance(bound.field.widget, Textarea):
        css = f"textarea {css}".strip()
    if css:
        attributes["class"] = css
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attributes),
        "is_switch": isinstance(bound.field.widget, CheckboxInput),
    }
