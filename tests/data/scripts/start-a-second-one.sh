#!/usr/bin/env bash
# Starts a Kestra under the name of another stack's, beside the one that it should replace.
cd "$(dirname "$0")/.." || exit
set -a
# shellcheck source=/dev/null
. ./.env
docker run -d --name "${STACK_PREFIX}kestra" --network "${STACK_PREFIX}tools_default" "$KESTRA_IMAGE" server standalone
