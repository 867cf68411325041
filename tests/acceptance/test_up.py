"""`manage.py up`: everything from nothing, parts that die, Ctrl-C, accidents, and the one line when it cannot be."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from tests.up import Up, still_running
from tests.waiting import wait_for

PARTS = {"postgres", "redis", "chain", "web", "worker", "beat", "listener", "flower"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One `up` for the tests that leave it running."""
    up = Up(tmp_path_factory.mktemp("up") / "data", "--no-demo").start()
    yield up
    up.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Up]:
    """An `up`, not started yet, that the test may do anything to."""
    up = Up(tmp_path / "data", "--no-demo")
    yield up
    up.close()
    print(up.text() if up.output.exists() else "")  # noqa: T201 - pytest shows it when the test failed


@contextmanager
def signed_in(up: Up) -> Iterator[requests.Session]:
    """The session of a browser in which `admin` has signed in with the generated password."""
    password = json.loads((up.data_dir / "secrets.json").read_text())["admin_password"]
    with requests.Session() as session:
        session.get(f"{up.url}/admin/login/", timeout=10)
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
        answer = session.post(f"{up.url}/admin/login/?next=/admin/", form, timeout=10)
        assert answer.url == f"{up.url}/admin/"
        yield session


def test_everything_runs_when_the_address_is_printed(running: Up):
    assert set(running.children()) == PARTS
    assert running.ready()
    assert f"{running.url}/" in running.text()


def test_the_first_start_prints_a_login_that_works(running: Up):
    password = json.loads((running.data_dir / "secrets.json").read_text())["admin_password"]
    assert f"admin / {password}" in running.text()
    with signed_in(running) as session:
        assert session.get(f"{running.url}/admin/", timeout=10, allow_redirects=False).status_code == 200


def test_another_command_finds_the_same_database_and_secrets(running: Up):
    made = running.manage("create_token", "admin")
    assert made.returncode == 0, made.stderr
    token = made.stdout.split()[-1]
    answer = requests.get(f"{running.url}/api/v1/workflows/", headers={"Authorization": f"Token {token}"}, timeout=10)
    assert answer.status_code == 200


def test_flower_asks_for_the_login(running: Up):
    url = f"http://127.0.0.1:{running.flower_port}/workers"
    password = json.loads((running.data_dir / "secrets.json").read_text())["admin_password"]
    assert requests.get(url, timeout=10).status_code == 401
    assert requests.get(url, auth=("admin", password), timeout=10).status_code == 200


def test_only_the_worker_can_open_keys(running: Up):
    private_key = json.loads((running.data_dir / "secrets.json").read_text())["field_encryption_key"].encode()
    told = {name: Path(f"/proc/{process.pid}/environ").read_bytes() for name, process in running.children().items()}
    assert {name for name, environment in told.items() if private_key in environment} == {"worker"}


def test_secrets_are_readable_by_their_owner_only(running: Up):
    assert stat.S_IMODE(running.data_dir.stat().st_mode) == 0o700
    for name in ("secrets.json", "environment.json"):
        assert stat.S_IMODE((running.data_dir / name).stat().st_mode) == 0o600, name


def test_no_generated_secret_is_in_a_log(running: Up):
    secrets = json.loads((running.data_dir / "secrets.json").read_text())
    del secrets["field_encryption_public_key"]
    logs = "".join(path.read_text(errors="replace") for path in (running.data_dir / "logs").iterdir())
    assert not [name for name, secret in secrets.items() if secret in logs]


def test_nothing_listens_beyond_this_machine(running: Up):
    ours = {process.pid for process in running.everything()}
    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    assert {each.laddr.ip for each in listening if each.pid in ours} == {"127.0.0.1"}


@pytest.mark.parametrize("name", ["beat", "redis", "postgres", "worker"])
def test_a_part_that_is_killed_is_started_again_and_that_is_said(running: Up, name: str):
    killed = running.children()[name]
    killed.kill()
    wait_for(lambda: running.children().get(name, killed).pid != killed.pid, 30, f"a new {name}")
    said = [line for line in running.text().splitlines() if "was killed by SIGKILL; starting it again in" in line]
    assert [line for line in said if line.startswith(f"{name} ")]
    wait_for(running.ready, 40, "everything works again")


def test_a_second_up_on_the_same_directory_is_refused_with_one_line(running: Up, tmp_path: Path):
    second = running.manage("up", "--port", "1")
    assert second.returncode == 1
    assert second.stderr.strip().splitlines() == [
        f"solflow: another `up` (process {running.pid}) is using the data directory {running.data_dir}; "
        "stop it, or choose another with --data-dir"
    ]


def test_a_port_in_use_is_refused_with_one_line_before_anything_starts(own: Up):
    with socket.create_server(("127.0.0.1", own.rpc_port + 1)):
        own.launch()
        assert own.wait() == 1
    assert own.text().startswith(f"CommandError: port {own.rpc_port + 1} (the WebSocket, --rpc-port + 1) is in use by ")
    assert len(own.text().splitlines()) == 1
    assert not (own.data_dir / "postgres").exists()


def test_ctrl_c_stops_everything_and_the_next_start_keeps_the_data(own: Up):
    own.start()
    slot = chain_slot(own)
    below = own.everything()
    own.interrupt()
    assert own.wait() == 0
    assert not still_running(below)
    assert "SIGKILL" not in own.text()
    assert not [line for line in own.text().splitlines() if "starting it again" in line]

    own.start()
    assert chain_slot(own) >= slot
    assert "admin, the password is in" in own.text()


def test_ctrl_c_does_not_wait_for_open_pages(own: Up):
    own.start()
    below = own.everything()
    with signed_in(own) as session:
        tabs = [session.get(f"{own.url}/events/stream?topics=executions", stream=True, timeout=10) for _ in range(3)]
        assert [tab.status_code for tab in tabs] == [200] * 3
        # Its web process answers nobody while it waits for pages, and says so when it gives up.
        own.interrupt()
        assert own.wait(20) == 0
    assert not still_running(below, timeout_s=1)
    assert "timeout graceful shutdown exceeded" not in own.text()


def test_a_second_interrupt_does_not_wait(own: Up):
    own.start()
    below = own.everything()
    stubborn = own.children()["worker"]
    stubborn.send_signal(signal.SIGSTOP)
    own.interrupt()
    wait_for(lambda: "web" not in own.children(), 20, "the orderly stop to reach the worker")
    # The second press is one that comes later than a bouncing first.
    wait_for(lambda: own.interrupt() or not own.children(), 8, "the forced stop")
    own.wait()
    assert not still_running(below)


def test_killing_up_itself_leaves_no_process_and_the_next_start_works(own: Up):
    own.start()
    below = own.everything()
    own.kill()
    assert not still_running(below)
    own.start()
    assert own.ready()


def test_sigterm_while_it_is_starting_stops_it(own: Up):
    own.launch()
    wait_for(lambda: "postgres" in own.children(), 30, "postgres is being started")
    below = own.everything()
    subprocess.run(["kill", "-TERM", str(own.pid)], check=True)
    assert own.wait() == 0
    assert not still_running(below)


def chain_slot(up: Up) -> int:
    body = {"jsonrpc": "2.0", "id": 1, "method": "getSlot"}
    return int(requests.post(f"http://127.0.0.1:{up.rpc_port}", json=body, timeout=10).json()["result"])
