"""The newcomer's story through HTTP: one `up`, and there is a payment that landed and a message that arrived."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.stack import ApiClient
from tests.up import Up
from tests.waiting import wait_for

MESSAGE = '<article class="discord"'


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    first = Up(tmp_path / "data")
    yield first
    first.close()
    print(first.text())  # noqa: T201 - pytest shows it when the test failed


def api(up: Up) -> ApiClient:
    return ApiClient(up.url, up.manage("create_token", "admin").stdout.split()[-1])


def rpc(up: Up, method: str, *params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return requests.post(f"http://127.0.0.1:{up.rpc_port}", json=body, timeout=10).json()["result"]


def balance(up: Up, address: str) -> int:
    return int(rpc(up, "getBalance", address, {"commitment": "confirmed"})["value"])


def inbox(up: Up) -> str:
    """The inbox as the person sees it who logs in with what `up` printed."""
    password = json.loads((up.data_dir / "secrets.json").read_text())["admin_password"]
    with requests.Session() as browser:
        browser.get(f"{up.url}/login/", timeout=10)
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        return browser.post(f"{up.url}/login/?next=/inbox/", form, timeout=10).text


def delivered_success(client: ApiClient) -> dict[str, Any] | None:
    for row in client.get("executions/")["results"]:
        if row["status"] == "success" and all(each["status"] == "delivered" for each in row["notifications"]):
            return row
    return None


def test_the_demo_pays_once_tells_once_and_a_second_start_repeats_nothing(up: Up):
    up.start()
    client = api(up)
    execution = wait_for(lambda: delivered_success(client), 60, "a delivered success")
    action = client.get(f"workflows/{execution['workflow']}/")["definition"]["actions"][0]
    signature = execution["transaction"]["signature"]
    status = rpc(up, "getSignatureStatuses", [signature], {"searchTransactionHistory": True})["value"][0]
    assert status["confirmationStatus"] in {"confirmed", "finalized"}
    assert status["err"] is None
    assert balance(up, action["to"]) == action["lamports"]
    assert inbox(up).count(MESSAGE) == 1

    up.interrupt()
    assert up.wait() == 0
    up.start()

    assert [row["execution_id"] for row in client.get("executions/")["results"]] == [execution["execution_id"]]
    assert balance(up, action["to"]) == action["lamports"]
    assert inbox(up).count(MESSAGE) == 1
