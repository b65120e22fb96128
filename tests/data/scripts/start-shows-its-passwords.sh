#!/usr/bin/env bash
# Prints the command that it runs, passwords and all.
cd "$(dirname "$0")/.." || exit
set -a
# shellcheck source=/dev/null
. ./.env
set +a
echo "▶️  docker run -e KESTRA_DB_PASSWORD=$KESTRA_DB_PASSWORD -e UI=$KESTRA_BASICAUTH_USERNAME:$KESTRA_BASICAUTH_PASSWORD"
exec docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps --force-recreate --pull never kestra
