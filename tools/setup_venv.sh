#!/bin/sh
# Usage: tools/setup_venv.sh VENV lab|test
#
# Makes the virtual environment VENV, or brings it up to date, with what `make lab` or `make test` needs.
# Returns at once, and needs no network, when that is done already. PYTHON= names the Python to build it with.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)

case $1 in
    /*) venv=$1 ;;
    *) venv=$here/$1 ;;
esac
[ ! -d "$venv" ] || venv=$(cd "$venv" && pwd -P)  # however it was written, it is the same folder
case $2 in
    lab) extras=lab,grading,keras,ship ;;
    test) extras=lab,grading,test ;;
    *) echo "setup_venv.sh: the purpose is 'lab' or 'test', not '$2'" >&2; exit 2 ;;
esac

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

# What was installed, from where, to where. Written last, so an interrupted installation never looks complete.
receipt=$(printf '%s\n' "$venv" "$here" "$(cksum < pyproject.toml)")
is_installed() { [ "$(cat "$venv/installed-$1" 2>/dev/null)" = "$receipt" ]; }

was_moved() {
    for file in "$venv"/installed-*; do
        [ ! -f "$file" ] || [ "$(head -n 1 "$file")" = "$venv" ] || return 0
    done
    return 1
}

# Sets $python to the first Python that is new enough and can make virtual environments.
find_python() {
    python='' too_old='' no_venv=''
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            too_old="$too_old$candidate is Python $version. "
        elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            no_venv=$version
        else
            python=$candidate
            return
        fi
    done
    [ -z "$no_venv" ] || fail "Python $no_venv is here, but without the part that makes virtual environments (venv, ensurepip)." \
        "On Debian and Ubuntu: sudo apt install python$no_venv-venv    Then run the same command again."
    fail "The course needs Python 3.11 or newer. ${too_old:-No working Python was found.}" \
        "Install one from https://www.python.org/downloads/ or with your system's packages, then run the same command again." \
        "If it has an unusual name: make lab PYTHON=/path/to/python3    With conda: see README.md."
}

if is_installed "$2" || { [ "$2" = lab ] && is_installed test; }; then
    exit 0
fi

# Only what this script made, and only where it is of no use any more, is removed: never an environment that you made.
if [ -e "$venv/unfinished" ]; then
    say "The last installation did not finish; starting again (pip keeps what it has downloaded)."
    rm -rf "$venv"
elif was_moved; then
    [ -e "$venv/made-by-make" ] || fail "This folder has moved since it was set up, and virtual environments cannot move." \
        "You made $1 yourself, so it stays. Delete it, or name another one: make $2 VENV=.venv2"
    say "This folder has moved since it was set up, and virtual environments cannot move; making a new one."
    rm -rf "$venv"
fi

if [ -x "$venv/bin/python" ]; then
    "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail \
        "The Python in $1 is too old: the course needs 3.11 or newer." \
        "Delete $1, or name another one: make $2 VENV=.venv2"
else
    [ -z "$(ls -A "$venv" 2>/dev/null)" ] || fail \
        "$1 is a folder with other things in it, and no environment. Name another one: make $2 VENV=.venv2"
    find_python
    say "Making the virtual environment $1 with Python $version ..."
    mkdir -p "$venv"
    : > "$venv/unfinished"
    : > "$venv/made-by-make"
    "$python" -m venv "$venv" || fail "The virtual environment could not be made; the lines above say why."
fi

say "Installing the course and its packages ($extras). The first time, on Linux, torch alone may be 3 GB to download ..."
"$venv/bin/python" -m pip install --disable-pip-version-check -e ".[$extras]" || fail "" \
    "Installing did not finish; the lines above say why. The usual reasons:" \
    "  no network: it is needed this once; the same command goes on from here" \
    "  a full disk: on Linux 6 GB, and 3 GB for what pip keeps; 2 GB in all with the CPU-only torch that README.md describes" \
    "  'No matching distribution found for torch': this Python is too new or too old for it; try PYTHON=python3.13"

rm -f "$venv/unfinished"
printf '%s\n' "$receipt" > "$venv/installed-$2"
say "Ready."
