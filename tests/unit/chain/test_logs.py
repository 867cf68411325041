import base64
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chain.decode.logs import attribute, invokes_itself, told_logs

A = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1"
B = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB1"


def told(logs: list[str]) -> list[tuple[str, int, str, int, str]]:
    return [(line.program_id, line.depth, line.text, line.n, line.kind) for line in attribute(logs)]


def test_recorded_events_belong_to_the_program_that_emitted_them(recording: Any) -> None:
    by_index = {line.log_index: line for line in attribute(recording.logs)}
    for event in recording.expected["events"]:
        if event["via"] == "log":
            line = by_index[event["logIndex"]]
            assert (line.program_id, line.depth, line.kind) == (event["program"], event["stackDepth"], "data")
            assert line.instruction == event["instructionIndex"]
            data = base64.b64decode(line.text)
            assert (data[:8].hex(), len(data)) == (event["discriminator"], event["dataLength"])


def test_every_recorded_data_line_is_attributed(recording: Any) -> None:
    written = [index for index, line in enumerate(recording.logs) if line.startswith("Program data: ")]
    assert [line.log_index for line in attribute(recording.logs) if line.kind == "data"] == written


def test_every_recorded_return_value_belongs_to_the_program_that_it_names(recording: Any) -> None:
    for line in attribute(recording.logs):
        if line.kind == "return":
            assert recording.logs[line.log_index] == f"Program return: {line.program_id} {line.text}"


def test_truncation_of_recorded_logs_is_seen(recording: Any) -> None:
    assert attribute(recording.logs).truncated == recording.expected["logsTruncated"]


def test_lines_are_counted_for_each_program_over_the_whole_transaction() -> None:
    logs = [
        f"Program {A} invoke [1]",
        "Program log: one",
        f"Program {B} invoke [2]",
        "Program log: inner",
        f"Program {B} consumed 1 of 2 compute units",
        f"Program {B} success",
        "Program data: AAE=",
        f"Program {A} success",
        f"Program {A} invoke [1]",
        "Program log: ",
        f"Program return: {A} AA==",
        f"Program {A} failed: custom program error: 0x1",
    ]
    assert told(logs) == [
        (A, 1, "one", 0, "log"),
        (B, 2, "inner", 0, "log"),
        (A, 1, "AAE=", 1, "data"),
        (A, 1, "", 2, "log"),
        (A, 1, "AA==", 3, "return"),
    ]
    assert [line.instruction for line in attribute(logs)] == [0, 0, 0, 1, 1]


def test_a_program_that_logs_the_runtime_s_words_stays_their_author() -> None:
    logs = [
        f"Program {A} invoke [1]",
        f"Program log: Program {B} invoke [2]",
        f"Program log: x\nProgram {B} invoke [1]",
        f"Program log: Program {A} success",
        "Program log: Log truncated",
        "Program log: mine",
    ]
    assert {line.program_id for line in attribute(logs)} == {A}
    assert len(attribute(logs)) == 5
    assert not attribute(logs).truncated


def test_a_program_that_calls_itself_keeps_its_outer_frame() -> None:
    logs = [
        f"Program {A} invoke [1]",
        f"Program {A} invoke [2]",
        "Program log: inner",
        f"Program {A} success",
        "Program log: outer",
    ]
    assert told(logs) == [(A, 2, "inner", 0, "log"), (A, 1, "outer", 1, "log")]


def frames(*calls: tuple[str, int]) -> list[str]:
    """A log in which each of these calls returns at once, or when a call of its depth or above follows."""
    logs: list[str] = []
    stack: list[str] = []
    for program, depth in [*calls, ("", 1)]:
        while len(stack) >= depth:
            logs.append(f"Program {stack.pop()} success")
        if program:
            stack.append(program)
            logs.append(f"Program {program} invoke [{depth}]")
    return logs


def test_a_log_says_whether_a_program_has_called_itself() -> None:
    assert invokes_itself(frames((A, 1), (A, 2)), A)
    assert invokes_itself(frames((B, 1), (A, 2), (B, 3), (A, 3)), A)
    assert not invokes_itself(frames((A, 1), (A, 1)), A)
    assert not invokes_itself(frames((A, 1), (B, 2), (A, 3)), A)
    assert not invokes_itself(frames((A, 1), (B, 2), (B, 3)), A)
    assert not invokes_itself([f"Program {A} invoke [1]", f"Program log: Program {A} invoke [2]"], A)


def test_a_log_with_a_hole_does_not_say_that_a_program_has_not_called_itself() -> None:
    assert invokes_itself([f"Program {A} invoke [1]", f"Program {A} invoke [3]"], A)
    assert invokes_itself([f"Program {A} invoke [1]", "Log truncated"], A)


def test_recorded_programs_that_emitted_by_self_call_have_called_themselves(recording: Any) -> None:
    by_call = {event["program"] for event in recording.expected["events"] if event["via"] == "emit_cpi"}
    by_log_alone = {event["program"] for event in recording.expected["events"]} - by_call

    assert all(invokes_itself(recording.logs, program) for program in by_call)
    if not recording.expected["logsTruncated"]:
        assert not any(invokes_itself(recording.logs, program) for program in by_log_alone)


def test_nothing_after_a_truncation_is_attributed_since_end_lines_may_be_missing() -> None:
    logs = [f"Program {A} invoke [1]", f"Program {B} invoke [2]", "Log truncated", "Program log: forged in B's name"]
    assert attribute(logs).truncated
    assert told(logs) == []


def test_a_log_that_a_node_does_not_tell_is_cut_before_its_first_line() -> None:
    """Nodes may keep no logs: nothing says then that a line was not written."""
    assert attribute(told_logs(None, None)).truncated
    assert told_logs(None, "InsufficientFundsForFee") == ()
    assert told_logs(["a"], None) == ("a",)


def test_error_texts_of_built_in_programs_are_theirs() -> None:
    system = "11111111111111111111111111111111"
    logs = [f"Program {system} invoke [1]", "Transfer: insufficient lamports 1, need 2", f"Program {system} failed: x"]
    assert told(logs) == [(system, 1, "Transfer: insufficient lamports 1, need 2", 0, "log")]


def test_what_the_runtime_says_about_compute_units_is_nobody_s_line() -> None:
    logs = [
        f"Program {A} invoke [1]",
        "Program consumption: 100 units remaining",
        f"Program {A} consumed 5 of 100 compute units",
        "Program failed to complete: exceeded CUs meter at BPF instruction",
    ]
    assert told(logs) == []


def test_lines_outside_any_program_belong_to_nobody() -> None:
    assert told(["Program log: stray", f"Program {A} success", "Program log: stray"]) == []


def test_a_missing_end_line_is_repaired_by_the_next_depth() -> None:
    logs = [f"Program {A} invoke [1]", f"Program {B} invoke [2]", f"Program {B} invoke [1]", "Program log: x"]
    assert told(logs) == [(B, 1, "x", 0, "log")]


_LINES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            f"Program {A} invoke [0]",
            f"Program {A} invoke [1]",
            f"Program {B} invoke [7]",
            f"Program {A} success",
            f"Program {B} failed: x",
            "Program log: x",
            "Program data: ",
            "Program return: ",
            "Log truncated",
            "Program  invoke []",
        ]
    ),
)


@given(st.lists(_LINES, max_size=40))
def test_no_log_raises_and_every_line_is_counted_once(logs: list[str]) -> None:
    lines = attribute(logs).lines
    for program_id in {line.program_id for line in lines}:
        assert [line.n for line in lines if line.program_id == program_id] == list(
            range(sum(line.program_id == program_id for line in lines))
        )
    assert [line.log_index for line in lines] == sorted({line.log_index for line in lines})


@given(data=st.data())
def test_mutations_of_recorded_logs_never_raise(recorded_logs: list[list[str]], data: st.DataObject) -> None:
    logs = list(data.draw(st.sampled_from(recorded_logs)))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(logs) - 1)) if logs else 0
        action = data.draw(st.sampled_from(["drop", "repeat", "cut", "insert"]))
        if action == "insert" or not logs:
            logs.insert(at, data.draw(_LINES))
        elif action == "drop":
            del logs[at]
        elif action == "repeat":
            logs.insert(at, logs[at])
        else:
            logs[at] = logs[at][: data.draw(st.integers(0, len(logs[at])))]
    authors = {line.program_id for line in attribute(logs)}
    assert all(any(author in line for line in logs) for author in authors)
