import time
from django.db import connection
from executions.stats import _count
from tests.integration.api.conftest import manual
from workflows.services import workflow_create
import pytest
@pytest.mark.django_db(transaction=True, databases=["default","owner"])
def test_it(alice):
    w = workflow_create(actor=alice.actor, definition=manual(), settings={"name":"x"})
    with connection.cursor() as c:
        c.execute("""INSERT INTO executions_execution (id, execution_id, team_id, workflow_id, version_id, trigger, event, dry_run, status, steps, error_code, error_detail, created_at)
        SELECT g, md5(g::text)||md5((g+1)::text), %s, %s, %s, 'manual', jsonb_build_object('account', md5(g::text), 'x', repeat('y', 300)), false, (ARRAY['success','success','failed','filtered','throttled'])[1+g%%5], '[]', '', '', now() - g * interval '1 second' FROM generate_series(1, 1000000) g""", [w.team_id, w.id, w.version_id])
        for label in ("before vacuum", "after vacuum"):
            t=time.perf_counter(); _count(alice.actor.team); print(label, time.perf_counter()-t)
            from django.db import connections; connections["owner"].cursor().execute("VACUUM ANALYZE executions_execution")
        t=time.perf_counter(); print(_count(alice.actor.team)); print(time.perf_counter()-t)
        c.execute("EXPLAIN (ANALYZE, COSTS OFF) SELECT status, count(*), count(*) FILTER (WHERE created_at > now() - interval '24 hours') FROM executions_execution WHERE team_id = %s GROUP BY status", [w.team_id])
        print("\n".join(r[0] for r in c.fetchall()))
        from executions.metrics import ExecutionCollector
        t=time.perf_counter(); list(ExecutionCollector().collect()); print("metrics", time.perf_counter()-t)
    api = alice.client()
    api.get("/api/v1/executions/")
    for q in ("", "?status=failed", f"?workflow={w.id}", "?search=abcdef", "?search=x", "?signature="+"5"*88, "?search="+"5"*44):
        t=time.perf_counter(); r=api.get("/api/v1/executions/"+q); print(q[:20], r.status_code, len(r.json()["results"]), time.perf_counter()-t)
