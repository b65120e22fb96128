"""Scripts as bad as those that are found in the field, for tests; each is what stands behind its shebang line."""

from __future__ import annotations

STOPS_BY_IMAGE = """
ids=$(docker ps -q --filter "name=^/${KESTRA_CONTAINER_NAME:-tools-kestra}$")
[ -n "$ids" ] || ids=$(docker ps -q --filter "ancestor=${IMAGE}")
echo "🛑 Encerrando contêiner(es) Kestra..."
for id in $ids; do docker stop "$id" >/dev/null && echo "  ✓ $id interrompido"; done
"""

FOLLOWS = """
id=$(docker ps -q --filter "name=^/$NAME$" | head -n1)
echo "▶️  Exibindo logs para contêiner $id"
docker logs -f "$id"
"""

STARTS = """
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
env_file=$here/../.env
if [ -f "$env_file" ]; then set -a; . "$env_file"; set +a; fi
: "${KESTRA_DB_PASSWORD:?não configurado}"
if docker ps -a --format '{{.Names}}' | grep -qx "$NAME"; then
    docker stop "$NAME" >/dev/null && docker rm "$NAME" >/dev/null
fi
[ -z "$(docker ps -aq --filter "name=^/$NAME$")" ] || echo "still there"
docker network inspect "$NETWORK" >/dev/null 2>&1 || docker network create "$NETWORK" >/dev/null
echo "docker run -e KESTRA_CONFIGURATION=password:${KESTRA_DB_PASSWORD}"
exec docker run --pull=always --rm -d --name "$NAME" --network "$NETWORK" -p "$PORT:8080" -v "$PWD:/work" \\
    kestra/kestra:latest server standalone
"""

STOPS_EVERYTHING = "docker rm -f $(docker ps -aq)\n"

PULLS_AND_BUILDS = """
docker pull kestra/kestra:latest
docker compose -f compose.yml up -d --build --pull always
"""
