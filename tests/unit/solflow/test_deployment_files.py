"""Dockerfile, Compose and Kubernetes files run the Procfile's processes, each told what it needs and no more."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import nacl.public
import pytest
import yaml

from solflow import __version__
from solflow.parts import ROOT
from tests import deployment
from tests.deployment import DEPLOY, Process

PINNED = re.compile(r"[\w./-]+:\d+(\.\d+)+(-[\w.]+)*")


def secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([DEPLOY / "secrets.sh", folder], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    assert secrets(folder).returncode == 0
    return folder


@pytest.fixture(scope="module")
def processes(written: Path) -> list[Process]:
    return [*deployment.compose_processes(written), *deployment.kubernetes_processes()]


def test_every_process_of_the_procfile_is_deployed(processes: list[Process]) -> None:
    found = {where: {one.part for one in processes if one.where == where} for where in ("compose", "kubernetes")}
    assert found["compose"] == set(deployment.processfile())
    assert found["kubernetes"] == set(deployment.processfile()) - {"flower"}


def test_each_runs_the_line_of_the_procfile_that_it_is_named_for(processes: list[Process]) -> None:
    assert all(one.command == [one.part] for one in processes)


def test_every_variable_is_one_that_solflow_reads(processes: list[Process]) -> None:
    known = deployment.settings_named()
    for one in processes:
        assert one.names <= known, f"{one.where} {one.part} is told {one.names - known}"


def test_only_the_worker_gets_the_private_keys_and_only_release_the_owners_password(processes: list[Process]) -> None:
    assert {one.part for one in processes if "FIELD_ENCRYPTION_KEYS" in one.names} == {"worker"}
    assert {one.part for one in processes if "DATABASE_OWNER_URL" in one.names} == {"release"}
    everybodys = {"SECRET_KEY", "FIELD_ENCRYPTION_PUBLIC_KEY", "DATABASE_URL", "REDIS_URL", "SOLANA_RPC_URLS"}
    assert all(everybodys <= one.names for one in processes)


def test_images_are_pinned(processes: list[Process]) -> None:
    servers = [one["image"] for name, one in deployment.compose()["services"].items() if name in deployment.SERVERS]
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(set(bases)) == 1
    for image in (*servers, *bases, *(one.image for one in processes)):
        assert PINNED.fullmatch(image), image
    assert all(one.image.endswith(f"solflow:{__version__}") for one in processes)


def test_containers_run_without_rights(processes: list[Process]) -> None:
    assert re.search(r"^USER 10001$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for one in processes:
        if one.where == "compose":
            assert (one.definition["read_only"], one.definition["cap_drop"]) == (True, ["ALL"])
        else:
            rights = one.definition["securityContext"]
            assert (rights["readOnlyRootFilesystem"], rights["allowPrivilegeEscalation"]) == (True, False)
            assert rights["capabilities"] == {"drop": ["ALL"]}
    for _, pod in deployment.pods():
        assert (pod["securityContext"]["runAsNonRoot"], pod["automountServiceAccountToken"]) == (True, False)


def test_a_listeners_ordinal_is_its_shard_of_as_many_as_there_are() -> None:
    listener = deployment.of_kind("StatefulSet")["solflow-listener"]
    told = {one["name"]: one for one in listener["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert told["LISTENER_SHARDS"]["value"] == str(listener["spec"]["replicas"])
    assert "pod-index" in told["LISTENER_SHARD"]["valueFrom"]["fieldRef"]["fieldPath"]


def test_beat_is_one_and_ends_before_it_begins_anew() -> None:
    spec = deployment.of_kind("Deployment")["solflow-beat"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_selectors_find_the_pods_that_they_mean() -> None:
    labels = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
        for one in deployment.documents()
        if "template" in one.get("spec", {})
    }
    for one in deployment.documents():
        if one["kind"] in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
            wanted = one["spec"]["selector"]["matchLabels"]
        elif one["kind"] == "Service":
            wanted = one["spec"]["selector"]
        else:
            continue
        name = one["metadata"]["name"]
        assert [found for found, worn in labels.items() if wanted.items() <= worn.items()] == [name]


def test_everything_that_runs_has_a_disruption_budget() -> None:
    running = set(deployment.of_kind("Deployment")) | set(deployment.of_kind("StatefulSet"))
    assert set(deployment.of_kind("PodDisruptionBudget")) == running


# How production reads the files


def started(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.environ["PATH"], "SOLFLOW_SUPERVISED": "1", **environment}
    command = [sys.executable, "-c", "import solflow.settings as s; print(s.SOLFLOW_ENV, *s.FIELD_ENCRYPTION_KEYS)"]
    return subprocess.run([*command, *words], env=known, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_written_secrets_are_enough_for_production(written: Path) -> None:
    everybodys = deployment.variables(written / "solflow.env")
    web = started(everybodys)
    assert (web.returncode, web.stdout) == (0, "production\n"), web.stderr
    worker = started(everybodys | deployment.variables(written / "worker.env"))
    private = worker.stdout.split()[1]
    public = nacl.public.PrivateKey(base64.b64decode(private, validate=True)).public_key
    assert base64.b64encode(bytes(public)).decode() == everybodys["FIELD_ENCRYPTION_PUBLIC_KEY"]


def test_passwords_agree_and_only_their_owner_can_read_them(written: Path) -> None:
    server = deployment.variables(written / "postgres.env")
    owner = deployment.variables(written / "owner.env")["DATABASE_OWNER_URL"]
    assert f":{server['OWNER_PASSWORD']}@" in owner
    assert f":{server['APPLICATION_PASSWORD']}@" in deployment.variables(written / "solflow.env")["DATABASE_URL"]
    assert {path.stat().st_mode & 0o777 for path in written.iterdir()} == {0o600}


def test_secrets_that_exist_are_never_replaced(written: Path) -> None:
    before = {path: path.read_bytes() for path in written.iterdir()}
    again = secrets(written)
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    assert {path: path.read_bytes() for path in written.iterdir()} == before


def test_secrets_stay_out_of_git_and_out_of_the_image() -> None:
    files = ["postgres.env", "owner.env", "worker.env", "solflow.env", "flower.env"]
    assert "deploy/*.env" in (ROOT / ".gitignore").read_text().splitlines()
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert not any(fnmatch(f"deploy/{file}", pattern) for file in files for pattern in let_in)
    assert all((ROOT / pattern).exists() for pattern in let_in)


def test_what_the_image_holds_is_enough_to_run(written: Path, tmp_path: Path) -> None:
    """A tree as .dockerignore lets it in, under production's settings: every module is there, and no warning."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    for name in (line[1:] for line in lines if line.startswith("!")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            left_out = {str(ROOT / line) for line in lines if line.startswith(f"{name}/")}
            shutil.copytree(ROOT / name, tmp_path / name, ignore=lambda at, all_, out=left_out: _among(at, all_, out))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    assert not (tmp_path / "chain" / "local").exists()
    environment = {"PATH": os.environ["PATH"], **deployment.variables(written / "solflow.env")}
    everything = (
        "import solflow.asgi, listener.runner; from solflow.celery import app; app.loader.import_default_modules()"
    )
    for words in (["manage.py", "check", "--deploy", "--fail-level", "WARNING"], ["-c", everything]):
        command = [sys.executable, *words]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _among(folder: str, names: list[str], left_out: set[str]) -> set[str]:
    return {name for name in names if f"{folder}/{name}" in left_out or name == "__pycache__"}


# deploy/run


@pytest.fixture
def echoing(tmp_path: Path) -> dict[str, str]:
    """An environment in which the programs of the Procfile say how they were called."""
    for name in ("python", "uvicorn", "celery"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "$REMAP_SIGTERM|{name} $*|$$"\n')
        (tmp_path / name).chmod(0o755)
    return {"PATH": f"{tmp_path}:/usr/bin:/bin", "PORT": "9000", "TMPDIR": "/scratch"}


def ran(environment: dict[str, str], *words: str) -> tuple[list[str], int]:
    with subprocess.Popen([DEPLOY / "run", *words], env=environment, stdout=subprocess.PIPE, text=True) as process:
        return process.communicate()[0].strip().split("|"), process.pid


@pytest.mark.parametrize("name", deployment.processfile())
def test_run_becomes_the_process_that_the_procfile_says(echoing: dict[str, str], name: str) -> None:
    line = deployment.processfile()[name]
    (remapped, command, pid), started_as = ran(echoing, name)
    values = {"PORT:-8000": "9000", "TMPDIR:-/tmp": "/scratch", "FLOWER_ADDRESS:-127.0.0.1": "127.0.0.1"}
    for variable, value in values.items():
        line = line.replace(f"${{{variable}}}", value)
    assert command == line.removeprefix("REMAP_SIGTERM=SIGQUIT ")
    assert remapped == ("SIGQUIT" if name == "worker" else "")
    # A signal to the container's first process reaches it.
    assert int(pid) == started_as


def test_run_runs_any_other_command(echoing: dict[str, str]) -> None:
    assert ran(echoing, "python", "manage.py", "create_admin", "a b")[0][1] == "python manage.py create_admin a b"


def test_every_file_is_yaml_that_a_person_can_compare() -> None:
    for path in DEPLOY.rglob("*.y*ml"):
        assert list(yaml.safe_load_all(path.read_text())), path
        assert "\t" not in path.read_text()
