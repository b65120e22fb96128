#!/usr/bin/env bash
# Prints the command that it runs, passwords and all.
cd "$(dirname "$0")/.." || exit
value() { sed -n "s/^$1=//p" .env; }
echo "▶️  docker run -e KESTRA_DB_PASSWORD=$(value KESTRA_DB_PASSWORD)" \
    "-e UI=$(value KESTRA_BASICAUTH_USERNAME):$(value KESTRA_BASICAUTH_PASSWORD)"
exec docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps --force-recreate --pull never kestra
