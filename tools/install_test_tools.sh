#!/bin/sh
# Install what the browser and client tests drive, where it is missing and we may.
# Without it those tests are skipped, each with its reason.
set -eu
missing=""
command -v chromium >/dev/null || missing="$missing chromium"
command -v npm >/dev/null || missing="$missing nodejs npm"
if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    apt-get -qq update
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
fi
node=tests/clients/node
made=$node/node_modules/.made
if command -v npm >/dev/null && { [ ! -e $made ] || [ $node/package.json -nt $made ]; }; then
    if npm install --prefix $node --no-package-lock --no-audit --no-fund --silent; then touch $made; fi
fi
