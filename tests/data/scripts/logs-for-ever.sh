#!/usr/bin/env bash
# Shows the log of the service until somebody ends it.
cd "$(dirname "$0")/.." || exit
prefix=$(sed -n 's/^STACK_PREFIX=//p' .env)
echo "▶️  Exibindo logs para contêiner ${prefix}tools-kestra"
exec docker logs -f "${prefix}tools-kestra"
