"""The data directory: made for its owner only, held by one `up`, and found by every other command."""

import json
import os
import stat
from pathlib import Path

import pytest

from solflow import datadir, generated

UP = ["manage.py", "up"]


def environment_of_up(directory: Path, **given: str) -> dict[str, str]:
    datadir.prepare(directory)
    environ = dict(given)
    datadir.complete_for_up(directory, environ)
    return environ


def test_the_option_wins_over_the_variable_and_the_variable_over_the_default():
    assert datadir.chosen([*UP, "--data-dir", "/a"], {"SOLFLOW_DATA_DIR": "/b"}) == Path("/a")
    assert datadir.chosen([*UP, "--data-dir=/a"], {"SOLFLOW_DATA_DIR": "/b"}) == Path("/a")
    assert datadir.chosen(UP, {"SOLFLOW_DATA_DIR": "/b"}) == Path("/b")
    assert datadir.chosen(UP, {}) == Path.cwd() / ".solflow"


def test_the_option_of_another_command_is_not_ours():
    assert datadir.chosen(["manage.py", "other", "--data-dir", "/a"], {}) == Path.cwd() / ".solflow"


def test_secrets_are_generated_once_for_the_owner_only(tmp_path: Path):
    first = environment_of_up(tmp_path / "d")
    again = environment_of_up(tmp_path / "d")
    assert first == again
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "d" / "secrets.json").stat().st_mode) == 0o600


def test_two_directories_share_no_secret(tmp_path: Path):
    one, other = (environment_of_up(tmp_path / name) for name in "ab")
    assert one["SECRET_KEY"] != other["SECRET_KEY"]
    assert one["FIELD_ENCRYPTION_KEYS"] != other["FIELD_ENCRYPTION_KEYS"]


def test_secrets_do_not_show_in_a_representation(tmp_path: Path):
    secrets = generated.load_or_generate(tmp_path / "secrets.json")
    assert secrets.admin_password not in repr(secrets)


def test_what_the_environment_names_stays(tmp_path: Path):
    given = {"SOLFLOW_ENV": "production", "DATABASE_URL": "postgresql://elsewhere/x", "REDIS_URL_FILE": "/run/redis"}
    environ = environment_of_up(tmp_path / "d", **given)
    assert given.items() <= environ.items()
    assert "DATABASE_OWNER_URL" not in environ
    assert "REDIS_URL" not in environ


def test_a_given_half_of_the_encryption_pair_is_not_paired_with_a_generated_one(tmp_path: Path):
    environ = environment_of_up(tmp_path / "d", FIELD_ENCRYPTION_PUBLIC_KEY="given")
    assert "FIELD_ENCRYPTION_KEYS" not in environ


def test_damaged_secrets_are_refused_and_kept(tmp_path: Path):
    (tmp_path / "secrets.json").write_text('{"secret_key": ')
    with pytest.raises(SystemExit, match="is damaged"):
        generated.load_or_generate(tmp_path / "secrets.json")
    assert (tmp_path / "secrets.json").read_text() == '{"secret_key": '


def test_lost_secrets_beside_databases_are_not_replaced(tmp_path: Path):
    (tmp_path / "postgres").mkdir()
    with pytest.raises(SystemExit, match=r"secrets\.json is missing"):
        datadir.complete_for_up(tmp_path, {})


def test_a_directory_that_cannot_be_written_ends_with_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        datadir.prepare(tmp_path / "file" / "d")
    assert "cannot be written (Not a directory); choose another with --data-dir" in str(ended.value)
    assert "\n" not in str(ended.value)


def test_a_second_holder_is_refused_with_the_number_of_the_first(tmp_path: Path):
    datadir.take(tmp_path)
    with pytest.raises(SystemExit, match=rf"another `up` \(process {os.getpid()}\)"):
        datadir.take(tmp_path)


def test_another_command_finds_what_up_remembered(tmp_path: Path):
    datadir.remember(tmp_path, {"SOLFLOW_ENV": "local", "DATABASE_URL": "postgresql://here/x"})
    environ = {"SOLFLOW_DATA_DIR": str(tmp_path)}
    datadir.complete_environment(["manage.py", "check"], environ)
    assert environ["DATABASE_URL"] == "postgresql://here/x"
    assert stat.S_IMODE((tmp_path / "environment.json").stat().st_mode) == 0o600


def test_a_command_with_its_own_database_does_not_get_the_owner_of_another(tmp_path: Path):
    datadir.remember(
        tmp_path, {"SOLFLOW_ENV": "local", "DATABASE_URL": "x", "DATABASE_OWNER_URL": "y", "REDIS_URL": "z"}
    )
    environ = {"DATABASE_URL": "postgresql://mine/x"}
    datadir.complete_for_command(tmp_path, environ)
    assert environ["DATABASE_URL"] == "postgresql://mine/x"
    assert "DATABASE_OWNER_URL" not in environ
    assert environ["REDIS_URL"] == "z"


def test_a_command_told_another_environment_finds_nothing(tmp_path: Path):
    datadir.remember(tmp_path, {"SOLFLOW_ENV": "local", "DATABASE_URL": "x"})
    environ = {"SOLFLOW_ENV": "production"}
    datadir.complete_for_command(tmp_path, environ)
    assert environ == {"SOLFLOW_ENV": "production"}


def test_a_directory_where_up_never_ran_adds_nothing(tmp_path: Path):
    environ = {"SOLFLOW_DATA_DIR": str(tmp_path / "none")}
    datadir.complete_environment(["manage.py", "check"], environ)
    assert environ == {"SOLFLOW_DATA_DIR": str(tmp_path / "none")}


def test_a_part_that_up_started_reads_nothing_from_the_directory(tmp_path: Path):
    datadir.remember(tmp_path, {"SOLFLOW_ENV": "local", "FIELD_ENCRYPTION_KEYS": "opens everything"})
    environ = {"SOLFLOW_DATA_DIR": str(tmp_path), datadir.SUPERVISED: "1"}
    datadir.complete_environment(["manage.py", "listen"], environ)
    assert "FIELD_ENCRYPTION_KEYS" not in environ


def test_asking_for_help_makes_no_directory(tmp_path: Path):
    datadir.complete_environment([*UP, "--help"], {"SOLFLOW_DATA_DIR": str(tmp_path / "d")})
    assert not (tmp_path / "d").exists()


def test_a_reader_never_sees_half_a_file(tmp_path: Path):
    datadir.remember(tmp_path, {"SOLFLOW_ENV": "local"})
    datadir.remember(tmp_path, {"SOLFLOW_ENV": "local", "REDIS_URL": "x"})
    assert json.loads((tmp_path / "environment.json").read_text())["REDIS_URL"] == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["environment.json"]
