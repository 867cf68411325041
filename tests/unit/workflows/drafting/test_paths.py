"""Places in a document by path: read, set and removed without touching the document they are in."""

from __future__ import annotations

import pytest

from workflows.drafting.paths import NoSuchPlace, is_within, parent_of, steps_of, value_at, with_value, without

DOCUMENT = {"filter": {"all": [{"value": 1}, {"any": [{"value": 2}]}]}}


def test_a_path_is_read_as_errors_write_it() -> None:
    assert steps_of("filter.all[1].any[0]") == ("filter", "all", 1, "any", 0)
    for wrong in ("", "[0]", "a..b", "a[", "a[x]", "a b", "a[0]b c", "."):
        with pytest.raises(NoSuchPlace):
            steps_of(wrong)


def test_what_is_not_there_is_none_whatever_the_document() -> None:
    assert value_at(DOCUMENT, "filter.all[1].any[0].value") == 2
    for document in (DOCUMENT, None, [], "text", {"filter": 3}):
        assert value_at(document, "filter.all[7].value") is None


def test_setting_leaves_the_old_document_as_it_was() -> None:
    changed = with_value(DOCUMENT, "filter.all[0].value", 9)
    assert value_at(changed, "filter.all[0].value") == 9 and value_at(DOCUMENT, "filter.all[0].value") == 1


def test_a_list_takes_one_more_at_its_end_and_none_beyond() -> None:
    assert with_value({}, "actions[0].to", "x") == {"actions": [{"to": "x"}]}
    with pytest.raises(NoSuchPlace):
        with_value({}, "actions[1]", {})


def test_only_what_is_there_can_be_removed() -> None:
    assert without(DOCUMENT, "filter.all[0]") == {"filter": {"all": [{"any": [{"value": 2}]}]}}
    for path in ("filter.all[2]", "trigger", "filter.all.x"):
        with pytest.raises(NoSuchPlace):
            without(DOCUMENT, path)


def test_a_place_is_within_another_by_whole_steps() -> None:
    assert is_within("actions[0].to", "actions[0]") and is_within("actions", "actions")
    assert not is_within("actions[10]", "actions[1]") and not is_within("filters", "filter")
    assert [parent_of(path) for path in ("a.b[0]", "a.b", "a")] == ["a.b", "a", ""]
