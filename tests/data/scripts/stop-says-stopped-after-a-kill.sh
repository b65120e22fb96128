#!/usr/bin/env bash
# Leaves the server no second for its drain, and says that it was interrupted.
cd "$(dirname "$0")/.." || exit
prefix=$(sed -n 's/^STACK_PREFIX=//p' .env)
docker stop -t 0 "${prefix}tools-kestra" >/dev/null
echo "  ✓ ${prefix}tools-kestra interrompido"
