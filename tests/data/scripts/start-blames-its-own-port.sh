#!/usr/bin/env bash
# Finds its own port taken, by whoever it is, and calls it a day.
cd "$(dirname "$0")/.." || exit
set -a
# shellcheck source=/dev/null
. ./.env
if [ -n "$(docker ps -aq --filter "name=^/${STACK_PREFIX}tools-kestra$")" ]; then
    echo "↳ Kestra will be skipped: Port $KESTRA_HTTP_PORT already in use."
    echo "✓ Tools Stack started"
    exit 0
fi
docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps kestra
