#!/bin/sh
# Writes the environment files that deploy/compose.yml wants, with new secrets, into the folder that is named (default:
# the one that this script is in). Files that exist stay as they are, so a second run changes nothing.
#
#   postgres.env  passwords of PostgreSQL's roles        for the server, when it makes its database
#   owner.env     the role that owns the tables          for release, backup and restore
#   worker.env    the private keys                       for the worker
#   solflow.env   everything else                        for all
#
# Keep a copy of worker.env and solflow.env in another place than the backups: docs/backup.md says why.
set -eu
umask 077
cd "${1:-$(dirname "$0")}"
for name in postgres owner worker solflow; do
    if [ -e "$name.env" ]; then echo "$PWD/$name.env is there already; nothing was written" >&2; exit 1; fi
done

word() { openssl rand -hex 32; }
owner=$(word) application=$(word)
key=$(openssl genpkey -algorithm X25519)
private=$(printf '%s\n' "$key" | openssl pkey -outform DER | tail -c 32 | base64)
public=$(printf '%s\n' "$key" | openssl pkey -pubout -outform DER | tail -c 32 | base64)

cat > postgres.env <<END
POSTGRES_PASSWORD=$(word)
OWNER_PASSWORD=$owner
APPLICATION_PASSWORD=$application
END
echo "DATABASE_OWNER_URL=postgresql://solflow_owner:$owner@postgres:5432/solflow" > owner.env
echo "FIELD_ENCRYPTION_KEYS=$private" > worker.env
cat > solflow.env <<END
SECRET_KEY=$(word)
FIELD_ENCRYPTION_PUBLIC_KEY=$public
DATABASE_URL=postgresql://solflow:$application@postgres:5432/solflow
REDIS_URL=redis://redis:6379/0
# Yours: endpoints, the network, and the name under which people open the dashboard.
SOLANA_RPC_URLS=https://api.devnet.solana.com
SOLANA_NETWORK=devnet
ALLOWED_HOSTS=localhost
CSRF_TRUSTED_ORIGINS=https://localhost
# The proxy in front of web, as web sees it: its address, or * where nobody else can reach web.
FORWARDED_ALLOW_IPS=127.0.0.1
END
echo "wrote postgres.env, owner.env, worker.env and solflow.env in $PWD: put your endpoints and names into solflow.env"
