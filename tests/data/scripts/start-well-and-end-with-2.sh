#!/usr/bin/env bash
# Starts the service as it should, and ends as a script does that has half a sentence at its end.
cd "$(dirname "$0")/.." || exit
docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps --force-recreate --pull never kestra
exit 2
