#!/bin/sh
# Make .venv with the given Python. Debian keeps venv's pip in a package of its own.
set -eu
python=$1
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "This Python cannot make virtual environments; install Debian's python3-venv." >&2
        exit 1
    fi
    apt-get -qq update
    apt-get -qq install -y python3-venv
fi
"$python" -m venv .venv
# Dependency groups (PEP 735) need pip 25.1.
.venv/bin/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'
