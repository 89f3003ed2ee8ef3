#!/bin/sh
# Runs understudy under the Node it came with, whatever else is in PATH.
set -eu
here=$(dirname "$(readlink -f "$0")")
exec "$here/../node/bin/node" "$here/../node_modules/@understudy/core/bin/understudy.js" "$@"
