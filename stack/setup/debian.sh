# shellcheck shell=bash
# Debian's packages: what the machine's own sources say, and how to install from them.

is_debian() { [ -r /etc/os-release ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; }

is_root() { [ "$(id -u)" = 0 ]; }

can_install() { is_debian && is_root; }

codename() { sed -nE 's/^VERSION_CODENAME="?([a-z]+)"?$/\1/p' /etc/os-release; }

install_packages() {
    say "packages: installing $* (log: $state/apt.log)"
    # Only a machine without package lists, or with old ones, needs the `update`: try without it first.
    apt_install "$@" 2>/dev/null && return
    { logged apt apt-get -qq update && apt_install "$@"; } || die "apt-get could not install $*: see $state/apt.log"
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive logged apt \
        apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
}

# The machine's sources of one suite as apt lines, e.g. "deb [signed-by=…] http://… bookworm main".
# With a second name, the same mirrors' lines for that suite instead.
sources_of() {
    local suite=$1 wanted=${2:-$1} uri component entry signed
    # shellcheck disable=SC2016  # apt fills the names in
    apt-get indextargets --format '$(RELEASE) $(REPO_URI) $(COMPONENT) $(SOURCESENTRY)' 'Created-By: Packages' |
        while read -r release uri component entry; do
            case $release in "$suite" | "$suite"-*) ;; *) continue ;; esac
            # Another suite is wanted for one package: its main line will do.
            if [ "$wanted" != "$suite" ] && [ "$release $component" != "$suite main" ]; then continue; fi
            signed=$(signed_by "${entry%:*}")
            say "deb ${signed:+[signed-by=$signed] }$uri ${release/#$suite/$wanted} $component"
        done | sort -u
}

# The key file that a sources file names, if it does.
signed_by() {
    sed -nE 's/^[Ss]igned-[Bb]y: *(\/[^ ]+).*/\1/p; s/^deb .*\[[^]]*signed-by=(\/[^] ]+).*/\1/p' "$1" | head -n 1
}
