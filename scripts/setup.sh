#!/bin/sh
# Brings the pinned tools into node_modules when they are missing or older than the lockfile.
# Needs nothing but Node with npm; safe to run before every command.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.setup-stamp
if [ ! -x node_modules/.bin/bun ] || [ ! -f "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  # Not `npm ci`: it insists on entries for packages of other machines that npm leaves out of the lockfile.
  npm install --no-save --no-audit --no-fund --loglevel=error >&2
  touch "$stamp"
fi
