#!/usr/bin/env bash
# Is asked how the service is, and ends it.
cd "$(dirname "$0")/.." || exit
prefix=$(sed -n 's/^STACK_PREFIX=//p' .env)
docker stop -t 15 "${prefix}tools-kestra"
