#!/usr/bin/env bash
# Looks for a name that nothing has any more, and calls that done.
id=$(docker ps -q --filter "name=^/tools-kestra-of-last-year$")
[ -n "$id" ] || { echo "ℹ️  Nenhum contêiner Kestra em execução." && exit 0; }
docker stop "$id"
