#!/usr/bin/env bash
# Starts the stack, without Kestra where a variable says so, whatever its value.
cd "$(dirname "$0")/.." || exit
services=(kestra-postgres kestra)
if [ -n "${SKIP_Kestra_AUTO_START:-}" ]; then
    echo "↳ SKIP_Kestra_AUTO_START=$SKIP_Kestra_AUTO_START detected; starting Tools stack without Kestra."
    services=(kestra-postgres)
fi
docker compose -f tools/compose/docker-compose.tools.yml up -d --pull never "${services[@]}"
echo "✓ Tools Stack started"
