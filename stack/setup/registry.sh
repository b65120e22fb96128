# shellcheck shell=bash
# The registry that the suite's tests pull from: the distribution's package, unpacked and not installed,
# since an installed one is a service that listens for the whole machine.

registry_binary=$state/bin/docker-registry

bring_registry() {
    if [ -x "$registry_binary" ] || command -v docker-registry >/dev/null; then
        say "registry: docker-registry is here"
        return
    fi
    is_debian || die "the tests need docker-registry in the PATH: install it, then run this again"
    say "registry: fetching the distribution's docker-registry into $state/bin (nothing is installed)"
    unpack_registry || die "no package docker-registry came through this machine's apt sources (log: $state/registry.log):" \
        "put its program into the PATH, then run this again"
}

unpack_registry() {
    local work=$state/registry-package
    rm -rf "$work"
    mkdir -p "$work" "$state/bin"
    fetch_registry "$work" && dpkg-deb -x "$work"/*.deb "$work/files" &&
        install -m 0755 "$work/files/usr/bin/docker-registry" "$registry_binary" && rm -rf "$work"
}

# Only a machine without package lists, or with old ones, needs the `update`: try without it first.
fetch_registry() {
    download_registry "$1" 2>/dev/null && return
    can_install && logged registry apt-get -qq update && download_registry "$1"
}

download_registry() { (cd "$1" && logged registry apt-get -q -o APT::Sandbox::User= download docker-registry); }
