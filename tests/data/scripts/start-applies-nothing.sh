#!/usr/bin/env bash
# Restarts the old container, which keeps what it was made with.
cd "$(dirname "$0")/.." || exit
exec docker compose -f tools/compose/docker-compose.tools.yml restart kestra
