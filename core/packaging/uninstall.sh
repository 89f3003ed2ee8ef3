#!/bin/sh
# Removes what install.sh installed. Config, key and database stay, unless --purge is given.
set -eu

usage() {
  echo "usage: uninstall.sh [--root DIR] [--purge]"
  echo "  --purge   remove /etc/understudy (config and key) and /var/lib/understudy (sessions) too"
}

root=
purge=
while [ $# -gt 0 ]; do
  case $1 in
    --root) root=${2:?"--root needs a folder"}; root=${root%/}; shift 2 ;;
    --purge) purge=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

systemd=
[ -n "$root" ] || [ ! -d /run/systemd/system ] || systemd=yes
if [ -n "$systemd" ]; then
  # Pulse hands the address over or gives it up while it ends.
  systemctl disable --now understudy-pulse.service understudy-node.service 2>/dev/null || true
fi
rm -f "$root/etc/systemd/system/understudy-pulse.service" "$root/etc/systemd/system/understudy-node.service"
[ -z "$systemd" ] || systemctl daemon-reload
link=$root/usr/local/bin/understudy
[ "$(readlink "$link" 2>/dev/null || true)" != /opt/understudy/bin/understudy ] || rm -f "$link"
rm -rf "$root/opt/understudy" "$root/opt/understudy.previous" "$root/opt/understudy.new" "$root/run/understudy"
if [ -n "$purge" ]; then
  rm -rf "$root/etc/understudy" "$root/var/lib/understudy"
  echo "removed Understudy with its config, key and sessions"
else
  rmdir "$root/etc/understudy/plugins" "$root/etc/understudy" 2>/dev/null || true
  echo "removed Understudy; /etc/understudy and /var/lib/understudy stay (uninstall.sh --purge removes them)"
fi
