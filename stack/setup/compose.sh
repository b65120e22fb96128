# shellcheck shell=bash
# Compose v2: used where it is; else its package is unpacked, not installed, into a plugin folder.

compose_works() { docker compose version >/dev/null 2>&1; }

bring_compose() {
    if compose_works; then
        say "compose: $(docker compose version --short), used as it is"
        return
    fi
    is_debian || die "Compose v2 is missing: install Docker's compose plugin (docker compose version must answer)"
    local folder
    folder=$(plugin_folder)
    say "compose: fetching the distribution's Compose v2 into $folder (nothing is installed or upgraded)"
    unpack_compose "$folder"
    compose_works || die "Compose v2 was unpacked into $folder and does not run: install Docker's compose plugin by hand"
    say "compose: $(docker compose version --short) is there"
}

plugin_folder() {
    if is_root; then
        say /usr/local/lib/docker/cli-plugins
    else
        say "${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins"
    fi
}

unpack_compose() {
    local folder=$1 work=$state/compose-package plugin
    rm -rf "$work"
    mkdir -p "$work" "$folder"
    fetch_compose_package "$work" ||
        die "no package of Compose v2 was found through this machine's apt sources (log: $state/compose.log):" \
            "install Docker's compose plugin by hand"
    dpkg-deb -x "$work"/*.deb "$work/files"
    plugin=$(find "$work/files" -path '*/cli-plugins/docker-compose' -type f | head -n 1)
    [ -n "$plugin" ] || die "the package $(basename "$work"/*.deb) holds no compose plugin: install it by hand"
    install -m 0755 "$plugin" "$folder/docker-compose"
    rm -rf "$work"
}

# Debian 12 packages Compose v1 only; the same mirror has v2 in the suite after it.
fetch_compose_package() {
    local work=$1 suite
    suite=$(codename)
    case $suite in bookworm) suite=trixie ;; esac
    sources_of "$(codename)" "$suite" >"$work/sources.list"
    private_apt "$work" update &&
        { private_apt "$work" download docker-compose-v2 || private_apt "$work" download docker-compose; }
}

# apt with sources, lists and cache of its own: the machine's are neither changed nor locked.
private_apt() {
    local work=$1
    shift
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    (cd "$work" && logged compose apt-get -q \
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o Acquire::Languages=none -o APT::Sandbox::User= "$@" 2>/dev/null)
}
