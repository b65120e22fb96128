#!/usr/bin/env bash
# Lets the shell read an env file that was written for Compose: of a value with spaces the first word is left.
cd "$(dirname "$0")/.." || exit
set -a
# shellcheck source=/dev/null
. ./.env
exec docker compose -f tools/compose/docker-compose.tools.yml up -d --no-deps --force-recreate --pull never kestra
