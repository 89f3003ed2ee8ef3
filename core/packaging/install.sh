#!/bin/sh
# Installs Understudy from the unpacked tarball: /opt/understudy, its two systemd units, /usr/local/bin/understudy.
# Starts and restarts nothing. The version that was there is kept as /opt/understudy.previous until the next install.
set -eu

usage() {
  echo "usage: install.sh [--root DIR]   installs below DIR instead of /, for images and tests"
}

root=
while [ $# -gt 0 ]; do
  case $1 in
    --root) root=${2:?"--root needs a folder"}; root=${root%/}; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

from=$(dirname "$(readlink -f "$0")")
to=$root/opt/understudy
units=$root/etc/systemd/system

fail() { echo "install: $*" >&2; exit 1; }

[ "$from" != "$(readlink -f "$to" 2>/dev/null || echo none)" ] || fail "this is the installed copy; unpack a tarball and run its install.sh"
"$from/node/bin/node" --version >/dev/null 2>&1 || fail "the Node in this tarball does not run here: it was made for $(cat "$from/VERSION")"
mkdir -p "$root/opt" "$units" "$root/usr/local/bin" "$root/etc/understudy/plugins" || fail "cannot write below ${root:-/}: run it as root"

# First beside the old one, then in its place by two renames: a disk that fills up leaves the old one whole.
rm -rf "$to.new"
cp -a "$from" "$to.new" || { rm -rf "$to.new"; fail "cannot copy to $to.new"; }
[ "$(id -u)" != 0 ] || chown -R 0:0 "$to.new"
rm -rf "$to.previous"
[ ! -e "$to" ] || mv "$to" "$to.previous"
mv "$to.new" "$to"

cp "$to/systemd/understudy-pulse.service" "$to/systemd/understudy-node.service" "$units/"
ln -sfn /opt/understudy/bin/understudy "$root/usr/local/bin/understudy"

if [ -z "$root" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
echo "installed $(cat "$to/VERSION") in $to"
[ ! -e "$to.previous" ] || echo "the version before, $(cat "$to.previous/VERSION"), is in $to.previous"
if [ -z "$root" ] && [ -d /run/systemd/system ] && systemctl --quiet is-active understudy-pulse understudy-node; then
  echo "this node still runs the version before; when it is the standby:"
  echo "  systemctl restart understudy-node understudy-pulse"
else
  echo "next: understudy init   (see $to/DEPLOY.md)"
fi
