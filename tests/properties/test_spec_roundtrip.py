"""What is parsed, written and parsed again is the same, for every kind of definition and settings."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
from hypothesis import given

from tests import strategies
from workflows.matching import matches
from workflows.specs.sample_events import sample_event
from workflows.specs.settings import WorkflowSettings, dump_settings, parse_settings
from workflows.specs.triggers import ProgramLog
from workflows.specs.workflow import WorkflowSpec, dump, json_schema, parse

SCHEMA = jsonschema_rs.validator_for(json_schema())


@given(strategies.specs())
def test_a_dumped_definition_parses_to_the_same_spec(spec: WorkflowSpec) -> None:
    assert parse(dump(spec)) == spec


@given(strategies.specs())
def test_a_definition_survives_json_text(spec: WorkflowSpec) -> None:
    assert parse(json.dumps(dump(spec))) == spec
    assert parse(json.dumps(dump(spec)).encode()) == spec


@given(strategies.specs())
def test_dumping_is_stable(spec: WorkflowSpec) -> None:
    once = dump(spec)
    assert json.dumps(dump(parse(once))) == json.dumps(once)


@given(strategies.definitions())
def test_every_right_document_satisfies_the_published_json_schema(document: dict[str, Any]) -> None:
    SCHEMA.validate(document)


@given(strategies.specs())
def test_every_dumped_definition_satisfies_the_published_json_schema(spec: WorkflowSpec) -> None:
    SCHEMA.validate(dump(spec))


@given(strategies.specs())
def test_a_trigger_matches_its_own_sample_event(spec: WorkflowSpec) -> None:
    event = sample_event(spec.trigger)
    assert event.type == spec.trigger.type
    if not (isinstance(spec.trigger, ProgramLog) and spec.trigger.pattern):
        assert matches(spec.trigger, event)


@given(strategies.settings())
def test_dumped_settings_parse_to_the_same_settings(document: dict[str, Any]) -> None:
    settings = parse_settings(document)
    assert parse_settings(dump_settings(settings)) == settings
    assert parse_settings({}, base=settings) == settings
    assert set(dump_settings(settings)) == set(WorkflowSettings.model_fields)
