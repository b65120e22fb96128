#!/usr/bin/env bash
# Stops every running container whose image is, or was built from, the service's: anybody's.
cd "$(dirname "$0")/.." || exit
image=$(sed -n 's/^KESTRA_IMAGE=//p' .env)
echo "🛑 Encerrando contêiner(es) Kestra..."
for id in $(docker ps -q --filter "ancestor=$image"); do
    docker stop -t 15 "$id" >/dev/null && printf '  \033[32m✓\033[0m %s interrompido\n' "$id"
done
