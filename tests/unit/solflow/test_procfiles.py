"""The Procfiles start what `up` starts: a process added to one is not forgotten in the other."""

from pathlib import Path

from solflow import parts
from solflow.installation import NAMES


def processes(name: str) -> dict[str, str]:
    lines = (parts.ROOT / name).read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines)


def test_every_part_is_a_line_of_the_procfile():
    assert set(processes("Procfile")) == {"release", "web", "worker", "beat", "listener", "flower"}
    assert set(processes("Procfile.dev")) == (set(processes("Procfile")) - {"release"}) | {"chain"}
    assert set(processes("Procfile.dev")) <= set(NAMES)


def test_the_worker_serves_the_same_queues_in_the_same_order():
    assert f"-Q {parts.QUEUES} " in processes("Procfile")["worker"]
    assert parts.QUEUES in parts.worker()


def test_the_schedule_of_beat_is_kept_where_it_is_told():
    assert "/data/beat-schedule" in parts.beat(Path("/data/beat-schedule"))
