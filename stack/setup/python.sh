# shellcheck shell=bash
# The suite's own Python: .venv in the checkout, filled from a hashed lock file.

checkout=$(dirname "$stack")
venv=$checkout/.venv
python=${PYTHON:-python3}

# bring_venv LOCK: nothing is done where the lock is the one that .venv was filled from.
bring_venv() {
    local lock=$checkout/$1 stamp want
    [ -r "$lock" ] || die "there is no lock file $lock"
    stamp=$venv/.filled-from-$1
    if ! venv_works; then make_venv; fi
    want=$(cat "$lock" "$venv/pyvenv.cfg" | sha256sum)
    if [ "$want" = "$(cat "$stamp" 2>/dev/null)" ]; then
        say "python: .venv is filled from $1"
        return
    fi
    say "python: filling .venv from $1 (log: $state/pip.log)"
    logged pip "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes -r "$lock" ||
        die "pip could not install $1: see $state/pip.log; then run this again"
    say "$want" >"$stamp"
}

# A checkout that was moved has scripts that name a Python which is not there.
venv_works() { "$venv/bin/pip" --version >/dev/null 2>&1; }

make_venv() {
    if ! command -v "$python" >/dev/null; then
        can_install || die "there is no $python: install Python 3.11 or later with its venv module, then run this again"
        install_packages python3 python3-venv
    fi
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$("$python" --version 2>&1) is too old: install Python 3.11 or later and name it, as in 'make restart PYTHON=python3.12'"
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        can_install || die "this Python cannot make virtual environments: run 'sudo apt-get install python3-venv', then this again"
        install_packages python3-venv
    fi
    say "python: making .venv with $("$python" --version)"
    rm -rf "$venv"
    logged venv "$python" -m venv "$venv" || die "no virtual environment could be made: see $state/venv.log"
}

# What the suite's own tests need beyond Python.
bring_test_tools() {
    local missing=()
    command -v shellcheck >/dev/null || missing+=(shellcheck)
    command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || missing+=("$(browser_package)" fonts-dejavu-core)
    if [ ${#missing[@]} -eq 0 ]; then
        say "packages: shellcheck and Chromium are here"
        return
    fi
    can_install || die "the tests need ${missing[*]}: install them (as root: apt-get install ${missing[*]}), then run this again"
    install_packages "${missing[@]}"
}

# The browser without a window is half the size, where the distribution has it.
browser_package() {
    if can_install; then logged apt apt-get -qq update || true; fi
    if apt-cache show chromium-headless-shell >/dev/null 2>&1; then say chromium-headless-shell; else say chromium; fi
}
