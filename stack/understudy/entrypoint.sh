#!/bin/sh
# Writes the configuration as the official image's entrypoint does: by `echo`, in a POSIX shell,
# which interprets backslashes in it. Then the server becomes process 1.
set -eu

if [ -n "${KESTRA_CONFIGURATION:-}" ]; then
  mkdir -p /app/confs
  # shellcheck disable=SC3037 # dash's echo is the point: it is what the configuration must survive
  echo "${KESTRA_CONFIGURATION}" > /app/confs/application.yml
  export MICRONAUT_CONFIG_FILES=/app/confs/application.yml
fi

cd /app
exec python3 -m understudy "$@"
