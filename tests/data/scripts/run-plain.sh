#!/usr/bin/env bash
# Starts Kestra by plain `docker run --rm`: no labels, no health check, and its log and exit code go with it.
# Whatever word it is given becomes the server's command.
set -euo pipefail
[ $# -gt 0 ] || set -- server standalone
cd "$(dirname "$0")/.."
while IFS= read -r line; do export "${line?}"; done <.env
name=${STACK_PREFIX}tools-kestra
export TOOLS_DB_HOST=$KESTRA_DB_HOST TOOLS_DB_PORT=$KESTRA_DB_PORT TOOLS_DB_NAME=$KESTRA_DB_NAME
export TOOLS_DB_USER=$KESTRA_DB_USER TOOLS_DB_PASSWORD=$KESTRA_DB_PASSWORD
export TOOLS_BASICAUTH_USERNAME=$KESTRA_BASICAUTH_USERNAME TOOLS_BASICAUTH_PASSWORD=$KESTRA_BASICAUTH_PASSWORD
KESTRA_CONFIGURATION=$(
    cat <<YAML
datasources:
  postgres:
    url: jdbc:postgresql://\${TOOLS_DB_HOST}:\${TOOLS_DB_PORT}/\${TOOLS_DB_NAME}
    driver-class-name: org.postgresql.Driver
    username: \${TOOLS_DB_USER}
    password: \${TOOLS_DB_PASSWORD}
kestra:
  server:
    basic-auth:
      enabled: true
      username: \${TOOLS_BASICAUTH_USERNAME}
      password: \${TOOLS_BASICAUTH_PASSWORD}
    termination-grace-period: $KESTRA_TERMINATION_GRACE
  repository:
    type: postgres
  queue:
    type: postgres
  storage:
    type: local
    local:
      base-path: /app/storage
YAML
)
export KESTRA_CONFIGURATION
if [ -n "$(docker ps -aq --filter "name=^/$name\$")" ]; then
    docker stop -t 15 "$name" >/dev/null
    docker rm "$name" >/dev/null 2>&1 || true
fi
docker run -d --rm --pull never --name "$name" --network "${STACK_PREFIX}tools_default" --stop-timeout 15 \
    -p "127.0.0.1:$KESTRA_HTTP_PORT:8080" -p "127.0.0.1:$KESTRA_MANAGEMENT_PORT:8081" \
    -v "${STACK_PREFIX}tools-$KESTRA_DB_VOLUME-storage:/app/storage" \
    -e KESTRA_CONFIGURATION -e UNDERSTUDY -e TOOLS_DB_HOST -e TOOLS_DB_PORT -e TOOLS_DB_NAME -e TOOLS_DB_USER \
    -e TOOLS_DB_PASSWORD -e TOOLS_BASICAUTH_USERNAME -e TOOLS_BASICAUTH_PASSWORD \
    "$KESTRA_IMAGE" "$@"
