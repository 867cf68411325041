"""The small pieces of the supervisor: backoff, the console, ports, the paths of sockets."""

import io
import socket
from pathlib import Path

import pytest

from solflow.embedded import sockets
from solflow.embedded.errors import EmbeddedError
from solflow.supervisor import backoff, ports
from solflow.supervisor.console import LOG_FILE_BYTES, Console


def test_a_part_that_keeps_dying_waits_longer_up_to_five_seconds():
    assert [backoff.delay_s(deaths) for deaths in range(1, 8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert backoff.delay_s(10_000) == 5.0


def test_ten_seconds_of_life_clear_the_record():
    assert backoff.deaths_after(6, lived_s=9.9) == 7
    assert backoff.deaths_after(6, lived_s=10.0) == 1


def test_names_are_padded_so_that_lines_align(tmp_path: Path):
    stream = io.StringIO()
    console = Console(["web", "listener"], tmp_path, stream)
    console.say("web", "hello")
    console.say("listener", "there")
    assert stream.getvalue() == "web      | hello\nlistener | there\n"


def test_only_the_name_is_coloured(tmp_path: Path):
    stream = io.StringIO()
    Console(["web"], tmp_path, stream, coloured=True).say("web", "hello")
    assert stream.getvalue() == "\x1b[36mweb |\x1b[0m hello\n"


def test_every_part_has_a_log_file_of_its_own(tmp_path: Path):
    console = Console(["web", "beat"], tmp_path, io.StringIO())
    console.say("web", "one")
    console.say("beat", "two")
    assert (tmp_path / "web.log").read_text() == "one\n"
    assert (tmp_path / "beat.log").read_text() == "two\n"


def test_log_files_stay_bounded(tmp_path: Path):
    console = Console(["web"], tmp_path, io.StringIO())
    for _ in range(3):
        console.say("web", "x" * (LOG_FILE_BYTES - 10))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2 * LOG_FILE_BYTES


def test_a_terminal_that_went_away_does_not_stop_the_log(tmp_path: Path):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    console = Console(["web"], tmp_path, Gone())
    console.say("web", "one")
    console.say("web", "two")
    assert (tmp_path / "web.log").read_text() == "one\ntwo\n"


def test_a_port_in_use_is_named_with_its_option_and_its_holder():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ports.PortError) as refused:
            ports.check_ports({"--port": port})
    assert str(refused.value).startswith(f"port {port} (--port) is in use by ")
    assert "(process " in str(refused.value)


def test_a_port_wanted_twice_is_refused():
    with pytest.raises(ports.PortError, match="port 1 is wanted twice, for --port and for --flower-port"):
        ports.check_ports({"--port": 1, "--flower-port": 1})


def test_sockets_lie_in_the_data_directory(tmp_path: Path):
    assert sockets.socket_folder(Path("/srv/solflow/.solflow")) == Path("/srv/solflow/.solflow/run")


def test_a_path_too_long_for_a_socket_gets_a_short_folder_of_its_own():
    deep = Path("/srv") / ("d" * 90)
    folder = sockets.socket_folder(deep)
    assert len(str(folder / sockets.LONGEST_SOCKET_NAME)) < sockets.LONGEST_SOCKET_PATH_BYTES
    assert folder != sockets.socket_folder(deep / "other")


def test_a_short_folder_that_others_can_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "SHORT_FOLDER", tmp_path)
    deep = Path("/srv") / ("d" * 90)
    sockets.socket_folder(deep).mkdir(mode=0o777)
    sockets.socket_folder(deep).chmod(0o777)
    with pytest.raises(EmbeddedError, match="open to others"):
        sockets.make_socket_folder(deep)
