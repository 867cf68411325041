import subprocess, sys, os
from accounts.throttling import TokenThrottle
from tests.executing import balance_event, new_address, take_events
from tests.integration.api.conftest import manual
def test_it(live_server, alice, no_chain, monkeypatch):
    monkeypatch.setattr(TokenThrottle, "THROTTLE_RATES", {"token": "100000/second"})
    api = alice.client()
    w = api.post("/api/v1/workflows/", {"name":"x","definition":manual()}, format="json").json()
    api.post(f"/api/v1/workflows/{w['id']}/enable/")
    api.post(f"/api/v1/workflows/{w['id']}/run/")
    token = api._credentials["HTTP_AUTHORIZATION"]
    out = subprocess.run([os.path.dirname(sys.executable)+"/st", "run", f"{live_server.url}/api/schema/", "--header", f"Authorization: {token}", "--max-examples", os.environ.get("ST_N","15"), "--phases", "coverage", "--workers", "1", "--no-shrink", "--continue-on-failure", "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,ignored_auth"], cwd="/tmp", stdout=open("/tmp/H_st.txt","w"), stderr=subprocess.STDOUT, timeout=400)
