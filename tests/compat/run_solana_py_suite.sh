#!/bin/sh
# Runs solana-py's own integration suite against the local chain: how well does a client's author believe it?
# Needs the project's environment active (`python` has its requirements) and a package index that pip knows.
# The suite and its test dependencies go to a temporary directory; nothing of them stays.
# Usage: tests/compat/run_solana_py_suite.sh [arguments for pytest]
set -eu

version=0.41.0
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
work=$(mktemp -d)
chain_pid=
trap 'if [ -n "$chain_pid" ]; then kill "$chain_pid"; fi; rm -rf "$work"' EXIT INT TERM

python -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "solana==$version" \
    pytest pytest-asyncio pytest-cov pytest-html pytest-xdist asyncstdlib
"$work/venv/bin/pip" download --quiet --no-binary :all: --no-deps --dest "$work" "solana==$version"
tar -xzf "$work/solana-$version.tar.gz" -C "$work"

port=$(python -c 'import random; print(random.randrange(12_000, 30_000))')
(cd "$root" && exec python -m chain.local --rpc-port "$port") > "$work/chain.log" 2>&1 &
chain_pid=$!
until grep -q ready "$work/chain.log"; do
    kill -0 "$chain_pid" || { cat "$work/chain.log"; exit 1; }
    sleep 0.1
done

cd "$work/solana-$version"
SOLANA_VALIDATOR_EXTERNAL=1 \
SOLANA_VALIDATOR_EXTERNAL_RPC_URL="http://127.0.0.1:$port" \
SOLANA_VALIDATOR_EXTERNAL_WS_URL="ws://127.0.0.1:$((port + 1))" \
    "$work/venv/bin/python" -m pytest tests/integration --no-cov -p no:cacheprovider "$@"
