#!/usr/bin/env bash
# Write a small root file system of this machine's own distribution to a tar file: base.sh SUITE TAR SOURCES
# The sources (a file of apt lines) come from the machine, so its mirror and its keys are used.
set -euo pipefail
suite=$1 tar=$2 sources=$3

# Kept out: documentation, and Postgres' just-in-time compiler, which costs 150 MB and is optional to it.
unwanted=('/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' '/usr/share/info/*'
    '/usr/lib/*/libLLVM*' '/usr/lib/postgresql/*/lib/llvmjit*' '/usr/lib/postgresql/*/lib/bitcode/*')
excludes=()
for pattern in "${unwanted[@]}"; do excludes+=("--dpkgopt=path-exclude=$pattern"); done

# The machine's own way to its mirror (proxy, certificates, clock checks) for the download, not for the image.
way=$(mktemp)
trap 'rm -f "$way"' EXIT
apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|Check-)' >"$way" || true

# The ids of user and group are those of the official postgres image: its volumes and ours can be exchanged.
# shellcheck disable=SC2016  # mmdebstrap's own shell expands "$1"
mmdebstrap --quiet --variant=essential --format=tar \
    --include=postgresql,python3,python3-psycopg2,python3-yaml,curl,procps \
    "${excludes[@]}" --aptopt="$way" \
    --essential-hook='echo postgres:x:999: >>"$1/etc/group"' \
    --essential-hook='echo postgres:x:999:999::/var/lib/postgresql:/bin/bash >>"$1/etc/passwd"' \
    --essential-hook='echo "postgres:!:19000::::::" >>"$1/etc/shadow"' \
    --customize-hook='rm -rf "$1"/var/lib/postgresql/*/main "$1"/etc/postgresql/*/main' \
    --customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf "$1"/etc/hostname' \
    "$suite" "$tar" - <"$sources"
