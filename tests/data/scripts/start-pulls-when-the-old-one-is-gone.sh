#!/usr/bin/env bash
# Removes the old container, then asks a registry for an image that is here.
cd "$(dirname "$0")/.." || exit
set -a
# shellcheck source=/dev/null
. ./.env
docker rm -f "${STACK_PREFIX}tools-kestra"
exec docker run --pull=always -d --name "${STACK_PREFIX}tools-kestra" "$KESTRA_IMAGE" server standalone
