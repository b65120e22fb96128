#!/usr/bin/env bash
# Stops the service cleanly, ends with 1, and leaves two processes behind: one of its group, one of a session of its own.
cd "$(dirname "$0")/.." || exit
prefix=$(sed -n 's/^STACK_PREFIX=//p' .env)
docker stop -t 15 "${prefix}tools-kestra"
sleep 611 &
setsid bash -c 'trap "" TERM HUP; while :; do sleep 0.2; done' left-behind >/dev/null 2>&1 &
exit 1
