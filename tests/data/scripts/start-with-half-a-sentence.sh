#!/usr/bin/env bash
# Starts the service, then meets a sentence that does not end: bash says so only when it gets there.
cd "$(dirname "$0")/.." || exit
docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps --force-recreate --pull never kestra
if true; then echo ")" )
