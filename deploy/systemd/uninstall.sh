#!/bin/sh
# Takes the service away. Configuration, passwords and data stay unless --purge is given.
set -eu

usage() {
  cat <<'USAGE'
Usage: uninstall.sh [--purge [--force]]

  --purge   also removes configuration, passwords, logs, the journal, the CSV backups and the user;
            refused while there are CSV backups. The service is stopped first and drains; what it could not
            write in that time lies in the journal, which goes too: look at `status` before
  --force   with --purge: even then
  PREFIX, DESTDIR   as given to install.sh
USAGE
}

purge=no
force=no
for argument in "$@"; do
  case $argument in
    --purge) purge=yes ;;
    --force) force=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
  esac
done

name=mqtt-oracle-bridge
prefix=${PREFIX:-/opt/$name}
dest=${DESTDIR-}
program=$dest$prefix
etc=$dest/etc/$name
state=$dest/var/lib/$name
logs=$dest/var/log/$name
units=$dest/etc/systemd/system

say() { printf '%s\n' "$*"; }
fail() { printf 'uninstall.sh: %s\n' "$*" >&2; exit 1; }

case $prefix in
  /*[!A-Za-z0-9/._-]* | *..* | /) fail "PREFIX may hold letters, digits and / . _ - only, no .., and not be /: $prefix" ;;
  /*) ;;
  *) fail "PREFIX must begin with /: $prefix" ;;
esac
[ ! -e "$program" ] || grep -qs "\"name\": \"$name\"" "$program/package.json" || fail "$program is something else: choose another PREFIX"
[ -n "$dest" ] || [ "$(id -u)" -eq 0 ] || fail 'must be run by root (or set DESTDIR)'

# Drained first: afterwards there is in the journal what Oracle did not take.
is_booted=no
if [ -z "$dest" ] && [ -d /run/systemd/system ]; then is_booted=yes; fi
if [ "$is_booted" = yes ] && [ -e "$units/$name.service" ]; then systemctl disable --now "$name"; fi

if [ "$purge" = yes ] && [ "$force" = no ] && [ -d "$state" ]; then
  unsent=$(find "$state" -type f -name '*.csv' | wc -l)
  [ "$unsent" -eq 0 ] || fail "$unsent CSV files in $state hold what is not in Oracle; nothing more is removed (--force removes them)"
fi

rm -f "$units/$name.service" "$dest/usr/local/bin/$name"
rm -rf "$program" "$program.new" "$program.old"
if [ "$is_booted" = yes ]; then systemctl daemon-reload; fi

if [ "$purge" = yes ]; then
  rm -rf "$etc" "$state" "$logs" "$units/$name.service.d"
  if [ -z "$dest" ] && id "$name" >/dev/null 2>&1; then userdel "$name"; fi
  say "$name is removed, with configuration and data"
else
  say "$name is removed; configuration (/etc/$name) and data (/var/lib/$name) are kept: --purge removes them too"
fi
