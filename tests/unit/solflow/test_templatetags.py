"""The tags and filters that templates call."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.template import Context, Template

SIGNATURE = "4sGjRk3vXoUq8YpHmT2nWcZ6bLfD9eKaVxJtN5rQyEuMgBh7wPdCzSi1oAkFLvXnT8mRqYpWcH3jZbUeKdG5tNfx"
AT = datetime(2026, 11, 22, 14, 10, 11, 42_000, tzinfo=UTC)


def render(source: str, /, **context: Any) -> str:
    return Template("{% load solflow_ui %}" + source).render(Context(context))


def test_an_icon_is_taken_from_the_sprite_and_hidden_from_screen_readers() -> None:
    assert render('{% icon "zap" "icon-sm" %}') == (
        '<svg class="icon icon-sm" aria-hidden="true"><use href="/static/icons.svg#zap"/></svg>'
    )


def test_a_status_is_an_icon_a_word_and_a_colour() -> None:
    execution = SimpleNamespace(status="failed", waiting_for=None, dry_run=False)
    pill = render("{% execution_status execution %}", execution=execution)
    assert pill.startswith('<span class="status s-fail"><svg')
    assert pill.endswith('#octagon-x"/></svg>Failed</span>')


def test_the_other_pills_take_their_own_statuses() -> None:
    assert "Finalized" in render('{% transaction_status "finalized" %}')
    assert "Not delivered" in render('{% delivery_status "dead" "status-plain" %}')
    assert "Paused" in render("{% workflow_status w %}", w=SimpleNamespace(enabled=True, paused_at=AT))


def test_an_address_is_short_with_the_whole_in_title_and_copy_button() -> None:
    shown = render('{% address value 8 "signature" %}', value=SIGNATURE)
    assert f'<span title="{SIGNATURE}">4sGjRk3v…KdG5tNfx</span>' in shown
    assert f'data-copy="{SIGNATURE}" aria-label="Copy signature 4sGjRk3v…KdG5tNfx"' in shown
    assert "<button" not in render('{% address value 4 "address" False %}', value=SIGNATURE)


def test_a_hostile_address_cannot_leave_its_attribute() -> None:
    assert '"><script>' not in render("{% address value %}", value='"><script>alert(1)</script>')


def test_a_time_carries_its_exact_utc_moment() -> None:
    assert render("{% clock at %}", at=AT) == (
        '<time datetime="2026-11-22T14:10:11.042000+00:00" title="22 Nov 2026, 14:10:11.042 UTC" '
        'data-shows="clock">14:10:11</time>'
    )
    assert "22 Nov 2026, 14:10:11 UTC</time>" in render("{% moment at %}", at=AT)


def test_an_age_is_marked_to_be_counted_on_in_the_browser() -> None:
    assert ' data-shows="age">now</time>' in render("{% ago at %}", at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("counts", "total", "percent"),
    [({"success": 98, "failed": 2, "filtered": 900}, "1000", "98.0"), ({"filtered": 3}, "3", "–"), ({}, "0", "–")],
)
def test_the_success_rate_counts_only_those_that_tried(counts: dict[str, int], total: str, percent: str) -> None:
    assert render("{{ counts|total }} {{ counts|success_percent }}", counts=counts) == f"{total} {percent}"


def test_small_sums_are_done_for_the_template() -> None:
    assert render("{{ 80|share_percent:100 }} {{ counts|item:key }}", counts={"a": 7}, key="a") == "80 7"
    assert render("{{ end|elapsed_ms:start|duration }}", start=AT, end=AT) == "0 ms"


class Settings(forms.Form):
    name = forms.CharField(help_text="What people call it.")
    note = forms.CharField(required=False, widget=forms.Textarea)
    dry_run = forms.BooleanField(required=False)


def test_a_field_with_an_error_is_tied_to_it_for_screen_readers() -> None:
    shown = render("{% field form.name %}", form=Settings({"name": ""}))
    assert 'data-invalid="true"' in shown
    assert 'aria-invalid="true"' in shown
    assert 'aria-describedby="id_name_helptext id_name_error"' in shown
    assert 'id="id_name_error"' in shown
    assert 'id="id_name_helptext"' in shown


def test_a_field_that_may_stay_empty_says_so() -> None:
    assert "optional" in render("{% field form.note %}", form=Settings())
    assert "optional" not in render("{% field form.name %}", form=Settings())


def test_attributes_of_a_field_tag_go_onto_the_control() -> None:
    shown = render('{% field form.note class_="mono" rows=3 %}', form=Settings())
    assert 'class="textarea mono"' in shown
    assert 'rows="3"' in shown


def test_a_checkbox_is_laid_out_as_a_switch_beside_its_words() -> None:
    assert 'data-orientation="horizontal"' in render('{% field form.dry_run role="switch" %}', form=Settings())


def test_the_problems_of_a_definition_come_with_their_lines() -> None:
    errors = [SimpleNamespace(path="trigger.type", detail="is unknown")]
    source = '{\n"trigger": {\n"type": "x"}}'
    shown = "{% problems_of errors source as problems %}{% for p in problems %}{{ p.line }} {{ p.path }}{% endfor %}"
    assert render(shown, errors=errors, source=source) == "3 trigger.type"


def test_shares_that_would_read_as_nothing_are_told_as_little() -> None:
    shown = "{{ 0|percent_of:0 }} {{ 0|percent_of:9 }} {{ 1|percent_of:8 }} {{ 1|percent_of:9999|safe }}"
    assert render(shown) == "– 0.0 % 12.5 % <0.1 %"


def test_kinds_are_told_in_words() -> None:
    assert render("{{ 'program_account'|cut_underscores }}") == "Program account"
