"""What bodies of JSON-RPC answers mean, without a socket."""

import json
from typing import Any

import pytest

from chain.errors import Ambiguous, ChainError, NodeBehind, Rejected, Unavailable
from chain.rpc import answers, calls
from chain.types import SYSTEM_PROGRAM, AccountSample, ChainPosition, SignatureStatus, TokenBalance

HOST = "node:8899"


def raised(body: str) -> ChainError:
    with pytest.raises(ChainError) as caught:
        answers.result_of(body, HOST)
    return caught.value


def error_body(code: int, message: str = "no", data: Any = None) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message, "data": data}})


def test_a_result_of_null_is_a_result() -> None:
    assert answers.result_of('{"jsonrpc":"2.0","id":1,"result":null}', HOST) is None


@pytest.mark.parametrize("body", ["", "<html>bad gateway</html>", "[]", "{}", '{"error": "text"}', "null"])
def test_a_body_that_is_no_answer_leaves_us_not_knowing(body: str) -> None:
    assert isinstance(raised(body), Ambiguous)


@pytest.mark.parametrize("code", [-32005, -32014, -32016])
def test_a_node_that_is_behind_says_so(code: int) -> None:
    error = raised(error_body(code))
    assert isinstance(error, NodeBehind)
    assert not error.permanent


@pytest.mark.parametrize("code", [-32601, -32010, -32011, -32019, 429])
def test_what_one_node_cannot_do_another_may(code: int) -> None:
    assert type(raised(error_body(code))) is Unavailable


@pytest.mark.parametrize("code", [-32603, -32000, -32099, 7])
def test_errors_that_are_no_known_refusal_do_not_tell_how_far_the_node_got(code: int) -> None:
    assert isinstance(raised(error_body(code)), Ambiguous)


def test_a_refusal_keeps_code_message_and_data() -> None:
    error = raised(error_body(-32002, "Transaction simulation failed", {"err": "BlockhashNotFound", "logs": ["a"]}))
    assert isinstance(error, Rejected)
    assert error.permanent
    assert (error.code, error.message, error.logs) == (-32002, "Transaction simulation failed", ["a"])
    assert error.is_blockhash_not_found
    assert not error.already_processed


def test_already_processed_is_seen_by_its_error_and_by_its_sentence() -> None:
    assert Rejected(-32002, "failed", {"err": "AlreadyProcessed"}).already_processed
    assert Rejected(
        -32002, "Transaction simulation failed: This transaction has already been processed"
    ).already_processed


def test_logs_that_speak_of_a_blockhash_do_not_make_one_unknown() -> None:
    error = Rejected(-32002, "Error: blockhash not found", {"err": {"InstructionError": [0, {"Custom": 1}]}})
    assert not error.is_blockhash_not_found


def test_an_account_that_does_not_exist_has_no_lamports() -> None:
    sample = answers.account({"context": {"slot": 7}, "value": None})
    assert sample == AccountSample.of(7, 0, SYSTEM_PROGRAM, b"")


def test_a_status_without_a_level_is_finalized_when_no_confirmations_are_counted() -> None:
    values = [None, {"slot": 5, "err": None, "confirmations": None}, {"slot": 6, "err": None, "confirmations": 1}]
    slot, statuses = answers.statuses({"context": {"slot": 9}, "value": values})
    assert slot == 9
    assert statuses == (None, SignatureStatus(5, None, "finalized"), SignatureStatus(6, None, "processed"))


def test_a_simulation_without_balances_says_none_rather_than_nothing_moved() -> None:
    simulation = answers.simulation(
        {"context": {"slot": 3}, "value": {"err": None, "logs": None, "unitsConsumed": 150}}
    )
    assert simulation.pre_balances is None
    assert simulation.post_token_balances is None
    assert simulation.fee_lamports is None
    assert (simulation.units_consumed, simulation.accounts, simulation.logs) == (150, (), ())


def test_a_simulation_carries_balances_as_integers() -> None:
    token = {
        "accountIndex": 1,
        "mint": "M",
        "owner": "O",
        "programId": "P",
        "uiTokenAmount": {"amount": "18446744073709551615", "decimals": 6, "uiAmount": 1.0, "uiAmountString": "1"},
    }
    value = {
        "err": None,
        "logs": ["x"],
        "unitsConsumed": 1,
        "fee": 5000,
        "preBalances": [10, 0],
        "postBalances": [4, 1],
        "preTokenBalances": [],
        "postTokenBalances": [token],
        "accounts": [None, {"lamports": 1, "owner": SYSTEM_PROGRAM, "data": ["", "base64"]}],
        "loadedAddresses": {"writable": ["W"], "readonly": []},
    }
    simulation = answers.simulation({"context": {"slot": 3}, "value": value})
    assert simulation.post_balances == (4, 1)
    assert simulation.post_token_balances == (TokenBalance(1, "M", "O", "P", 2**64 - 1, 6),)
    assert simulation.accounts == (None, AccountSample.of(3, 1, SYSTEM_PROGRAM, b""))
    assert simulation.loaded_addresses == (("W",), ())


def test_an_answer_of_another_shape_leaves_us_not_knowing() -> None:
    call = calls.balance("A", "confirmed")
    with pytest.raises(Ambiguous, match="getBalance"):
        call.read({"value": {}}, HOST)


def test_a_send_asks_for_no_preflight_and_no_retries_of_the_node() -> None:
    body = json.loads(calls.send(b"\x01\x02").to_json())
    assert body["params"] == ["AQI=", {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}]


def test_a_simulation_cannot_verify_signatures_over_a_replaced_blockhash() -> None:
    with pytest.raises(ValueError, match="exclude"):
        calls.simulate(b"", "confirmed", (), replace_blockhash=True, sig_verify=True)


def test_an_observed_slot_is_read_from_the_context_or_the_slot_itself() -> None:
    assert calls.slot("confirmed").observed_slot(12) == 12
    assert calls.balance("A", "confirmed").observed_slot({"context": {"slot": 13}, "value": 1}) == 13
    assert calls.block_height("confirmed").observed_slot(14) is None


def test_slot_and_block_height_are_read_from_one_answer() -> None:
    call = calls.position("finalized")
    assert (call.method, call.params) == ("getEpochInfo", [{"commitment": "finalized"}])
    read = call.read({"absoluteSlot": 500, "blockHeight": 470, "epoch": 1, "slotIndex": 68}, HOST)
    assert read == ChainPosition(slot=500, block_height=470)
    with pytest.raises(Ambiguous, match="getEpochInfo"):
        call.read({"absoluteSlot": 500}, HOST)


def test_an_account_that_holds_no_lookup_table_is_refused() -> None:
    with pytest.raises(Rejected, match="no address lookup table"):
        answers.lookup_table(SYSTEM_PROGRAM, AccountSample.of(1, 0, SYSTEM_PROGRAM, b""))
