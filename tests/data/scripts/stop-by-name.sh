#!/usr/bin/env bash
# Stops the container of exactly this name, with time for its drain.
cd "$(dirname "$0")/.." || exit
prefix=$(sed -n 's/^STACK_PREFIX=//p' .env)
docker stop -t 15 "${prefix}tools-kestra" && echo "  ✓ ${prefix}tools-kestra interrompido"
