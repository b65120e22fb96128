#!/usr/bin/env bash
# Computes its root one folder too low, and so starts with what another .env says.
set -a
# shellcheck source=/dev/null
. "$(dirname "$0")/.env"
cd "$(dirname "$0")/.." || exit
docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps --force-recreate --pull never kestra
