"""JSON on a page: highlighted, harmless, and with the line of each problem."""

from __future__ import annotations

import html
import json
import re
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from solflow.ui.code import MAX_HIGHLIGHTED, highlight_json, pretty_json, problems_with_lines

ADDRESS = "7vQm3cXoPEd8F2LsYkWqNfBz5tGhJr9AuVeKMxT4pHnR"
SOURCE = """{
  "schema": 1,
  "trigger": {"type": "balance_change",
    "direction": "upwards"},
  "filter": {"all": [
    {"field": "event.slot", "op": "gt", "value": 1},
    {"any": [
      {"field": "event.x", "op": "near"}]}]},
  "actions": [
    {"type": "memo", "text": "a"},
    {"type": "transfer_sol",
     "lamprots": 5}
  ]
}"""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def line_of(path: str, source: str = SOURCE) -> int:
    [problem] = problems_with_lines([SimpleNamespace(path=path, detail="is wrong")], source)
    return problem.line


@given(json_values)
def test_what_is_shown_is_the_value_whatever_strangers_wrote_into_it(value: Any) -> None:
    assert json.loads(pretty_json(value)) == value
    shown = html.unescape(re.sub(r'<span class="[a-z0-9]+">|</span>', "", highlight_json(value)))
    assert json.loads(shown) == value


def test_markup_in_a_value_stays_text() -> None:
    assert "<script>" not in highlight_json({"memo": "<script>alert(1)</script>"})


def test_characters_that_reorder_text_are_shown_as_escapes() -> None:
    assert pretty_json("a\u202eb") == '"a\\u202eb"'


def test_tokens_have_the_classes_that_the_style_sheet_colours() -> None:
    shown = highlight_json({"slot": 5, "signature": None, "type": "x"})
    assert '<span class="nt">&quot;slot&quot;</span>' in shown
    assert '<span class="mi">5</span>' in shown
    assert '<span class="kc">null</span>' in shown
    assert '<span class="s2">&quot;x&quot;</span>' in shown


def test_an_address_is_shortened_with_the_whole_in_its_title() -> None:
    assert f'title="{ADDRESS}">&quot;7vQm3cXo…MxT4pHnR&quot;</span>' in highlight_json({"account": ADDRESS})


def test_a_problem_is_found_on_the_line_of_its_key() -> None:
    assert line_of("trigger.direction") == 4
    assert line_of("actions[1].lamprots") == 12


def test_a_problem_in_a_list_is_found_on_the_line_of_its_element() -> None:
    assert line_of("actions[0]") == 10
    assert line_of("filter.all[1].any[0].op") == 8


def test_a_missing_key_is_reported_on_the_line_of_what_misses_it() -> None:
    assert line_of("actions[1].to") == 11


def test_a_problem_of_the_whole_document_has_no_line() -> None:
    assert line_of("") == 0


def test_broken_json_keeps_the_line_that_the_parser_named() -> None:
    error = SimpleNamespace(path="", detail="is not JSON", line=3)
    assert problems_with_lines([error], '{\n "a": 1,\n oops}')[0].line == 3


def test_problems_are_listed_in_reading_order() -> None:
    errors = [SimpleNamespace(path=path, detail="") for path in ("actions[1].lamprots", "trigger.direction")]
    assert [problem.line for problem in problems_with_lines(errors, SOURCE)] == [4, 12]


@given(st.text(st.sampled_from('{}[]",:a1 \n\\'), max_size=60), st.text(st.sampled_from("a[0].]b"), max_size=12))
def test_no_text_and_no_path_breaks_the_search_for_a_line(source: str, path: str) -> None:
    assert 0 <= line_of(path, source) <= source.count("\n") + 1


def test_a_key_with_a_wrong_escape_hides_no_line_after_it() -> None:
    source = '{\n  "\\x": 1,\n  "trigger": 2\n}'
    [problem] = problems_with_lines([SimpleNamespace(path="trigger", detail="is wrong")], source)
    assert problem.line == 3


def test_what_is_very_long_is_shown_plain_and_harmless() -> None:
    value = {"body": "<script>" * (MAX_HIGHLIGHTED // 8)}
    shown = highlight_json(value)
    assert "<" not in shown
    assert html.unescape(shown) == pretty_json(value)
