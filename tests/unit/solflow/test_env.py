"""Readers of the environment: a bad value ends the process with one line that names the variable and no value."""

from pathlib import Path

import pytest

from solflow import env


def refusal(call) -> str:
    with pytest.raises(SystemExit) as ended:
        call()
    return str(ended.value)


def test_a_value_is_read_from_the_file_that_the_environment_names(monkeypatch, tmp_path: Path):
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "secret"))
    assert env.text("THING") == "from a file"


def test_a_value_wins_over_a_file(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("THING_FILE", str(tmp_path / "missing"))
    monkeypatch.setenv("THING", "said")
    assert env.text("THING") == "said"


def test_a_file_that_cannot_be_read_is_named_by_its_variable(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("THING_FILE", str(tmp_path / "missing"))
    assert "THING_FILE must name a readable file" in refusal(lambda: env.text("THING"))


def test_a_missing_value_without_a_default_names_the_variable():
    assert refusal(lambda: env.text("SOLFLOW_NO_SUCH_THING")).startswith("solflow: SOLFLOW_NO_SUCH_THING is not set")


@pytest.mark.parametrize("value", ["", "x", "1.5", "0", "257", "1" * 30, "٣"])
def test_an_integer_out_of_range_is_refused_with_the_range(monkeypatch, value: str):
    monkeypatch.setenv("THING", value or "-")
    assert refusal(lambda: env.integer("THING", 5, 1, 256)) == "solflow: THING must be a whole number from 1 to 256"


@pytest.mark.parametrize("value", ["nan", "inf", "1e3", "-1", "11"])
def test_a_number_that_is_not_plain_is_refused(monkeypatch, value: str):
    monkeypatch.setenv("THING", value)
    assert "must be a number from 0.1 to 10" in refusal(lambda: env.number("THING", 1.0, 0.1, 10))


def test_an_unknown_choice_is_answered_with_the_known_ones(monkeypatch):
    monkeypatch.setenv("THING", "prod")
    assert refusal(lambda: env.choice("THING", "a", ("a", "b"))) == "solflow: THING must be one of a, b"


def test_a_comma_list_loses_blanks_and_empty_parts(monkeypatch):
    monkeypatch.setenv("THING", " a, ,b ,")
    assert env.words("THING") == ["a", "b"]


def test_a_bad_url_is_counted_and_not_repeated(monkeypatch):
    monkeypatch.setenv("THING", "https://node.example/key,ftp://secret-key@node.example")
    line = refusal(lambda: env.urls("THING", "", ("http", "https")))
    assert "number 2 is not" in line
    assert "secret-key" not in line


def test_the_same_endpoint_twice_is_no_second_witness(monkeypatch):
    monkeypatch.setenv("THING", "https://node.example,https://node.example")
    assert len(env.urls("THING", "", ("https",))) == 2
    assert "must not name a URL twice" in refusal(lambda: env.urls("THING", "", ("https",), distinct=True))


def test_a_database_url_may_name_the_folder_of_a_unix_socket(monkeypatch):
    monkeypatch.setenv("THING", "postgresql://app:p%40ss@/flow?host=%2Frun%2Fpg&sslmode=disable")
    found = env.database("THING")
    assert (found["HOST"], found["NAME"], found["USER"], found["PASSWORD"]) == ("/run/pg", "flow", "app", "p@ss")
    assert found["OPTIONS"] == {"sslmode": "disable"}


@pytest.mark.parametrize(
    "value", ["mysql://u:hunter2@h/d", "postgresql://u:hunter2@h", "postgresql://u:hunter2@h:port/d"]
)
def test_a_database_url_that_is_none_is_refused_without_its_password(monkeypatch, value: str):
    monkeypatch.setenv("THING", value)
    line = refusal(lambda: env.database("THING"))
    assert line.startswith("solflow: THING must")
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("rpc", "pubsub"),
    [
        ("http://127.0.0.1:8899", "ws://127.0.0.1:8900"),
        ("https://api.devnet.solana.com", "wss://api.devnet.solana.com"),
        ("https://node.example/v2/key?x=1", "wss://node.example/v2/key?x=1"),
    ],
)
def test_pubsub_is_where_the_endpoint_is(rpc: str, pubsub: str) -> None:
    """Solana's own clients look there too."""
    assert env.websocket_url(rpc) == pubsub


@pytest.mark.parametrize(
    ("value", "port", "ssl", "required", "sender"),
    [
        ("smtp://127.0.0.1:2525", 2525, False, False, "solflow@localhost"),
        ("smtp://ops%40example.com:p%3Aw@mail.example.com:587", 587, False, False, "ops@example.com"),
        ("smtp+tls://u:p@mail.example.com", 587, False, True, "solflow@mail.example.com"),
        ("smtps://u:p@mail.example.com?from=alerts@example.com", 465, True, False, "alerts@example.com"),
    ],
)
def test_a_mail_server_is_read_as_django_takes_it(monkeypatch, value, port, ssl, required, sender):
    monkeypatch.setenv("EMAIL_URL", value)
    read = env.email("EMAIL_URL")
    assert (read["EMAIL_PORT"], read["EMAIL_USE_SSL"], read["EMAIL_TLS_REQUIRED"]) == (port, ssl, required)
    assert read["DEFAULT_FROM_EMAIL"] == sender


def test_without_a_mail_server_no_mail_is_sent(monkeypatch):
    monkeypatch.delenv("EMAIL_URL", raising=False)
    assert env.email("EMAIL_URL")["EMAIL_HOST"] == ""


@pytest.mark.parametrize(
    "value",
    [
        "mail.example.com:25",
        "https://u:hunter2@mail.example.com",
        "smtp://",
        "smtp://u:hunter2@mail.example.com:port",
        "smtp://u:hunter2@mail.example.com:99999",
        "smtp://u:hunter2@mail.example.com/inbox",
        "smtp://u:hunter2@mail.example.com?tls=1",
        "smtp://u:hunter2@mail.example.com?from=nobody",
        "smtp://u:hunter2@mail.example.com?from=a@b.example%0d%0aBcc:x@y.example",
    ],
)
def test_a_mail_server_that_is_none_is_one_line_that_names_the_variable_and_no_password(monkeypatch, value):
    monkeypatch.setenv("EMAIL_URL", value)
    said = refusal(lambda: env.email("EMAIL_URL"))
    assert said.startswith("solflow: EMAIL_URL must") and "\n" not in said and "hunter2" not in said


@pytest.mark.parametrize("value", ["collector.example:4318", "grpc://collector.example", "https://", "http://x:0"])
def test_a_collector_that_is_no_url_is_refused(monkeypatch, value: str):
    monkeypatch.setenv("THING", value)
    assert "THING must be one http or https URL" in refusal(lambda: env.collector("THING"))


def test_a_collector_is_nothing_unless_it_is_named(monkeypatch):
    assert env.collector("THING") == ""
    monkeypatch.setenv("THING", "http://collector.example:4318/")
    assert env.collector("THING") == "http://collector.example:4318"


@pytest.mark.parametrize("value", ["https://key@sentry.example/7", "https://key@sentry.example:9000/under/a/path/7"])
def test_a_dsn_is_taken_as_sentry_shows_it(monkeypatch, value: str):
    monkeypatch.setenv("THING", value)
    assert env.sentry_dsn("THING") == value
