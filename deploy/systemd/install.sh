#!/bin/sh
# Installs the bridge as a systemd service. Run it again to update: configuration, passwords and data stay as they are.
set -eu

usage() {
  cat <<'USAGE'
Usage: install.sh

Installs from the checkout or the unpacked package that it lies in. Needs Node 20.19 or later and, unless DESTDIR is set, root.

  PREFIX    where the program goes, default /opt/mqtt-oracle-bridge
  DESTDIR   put before every path; then no user is made, nothing is given to it and systemd is not called
  NODE      the node to run it with, default the one in PATH
USAGE
}

case "${1-}" in
  '') ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 64 ;;
esac

name=mqtt-oracle-bridge
prefix=${PREFIX:-/opt/$name}
dest=${DESTDIR-}
node=${NODE:-$(command -v node || true)}
source=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
program=$dest$prefix
etc=$dest/etc/$name
units=$dest/etc/systemd/system

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

case $prefix in
  /*[!A-Za-z0-9/._-]* | *..* | /) fail "PREFIX may hold letters, digits and / . _ - only, no .., and not be /: $prefix" ;;
  /*) ;;
  *) fail "PREFIX must begin with /: $prefix" ;;
esac
[ ! -e "$program" ] || grep -qs "\"name\": \"$name\"" "$program/package.json" || fail "$program is something else: choose another PREFIX"
[ -n "$dest" ] || [ "$(id -u)" -eq 0 ] || fail 'must be run by root (or set DESTDIR)'
[ -n "$node" ] || fail 'there is no node in PATH: install Node 20.19 or later, or set NODE'
"$node" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "$node is $("$node" --version): Node 20.19 or later is needed"
# ProtectHome= in the unit hides these from the service.
for path in "$prefix" "$(readlink -f -- "$node")"; do
  case $path in /home/* | /root/* | /run/user/*) [ -n "$dest" ] || fail "$path: the service may not read there; set PREFIX or NODE" ;; esac
done
[ -f "$source/dist/main.js" ] || fail "there is no $source/dist: run npm ci && npm run build first"

# The production packages: those of the checkout where they are all there, so that no registry is needed; else from the registry.
install_packages() {
  if list=$(cd "$source" && npm ls --omit=dev --all --parseable 2>/dev/null); then
    printf '%s\n' "$list" | while IFS= read -r directory; do
      relative=${directory#"$source"/}
      case $relative in
        node_modules/*/node_modules/* | "$directory") continue ;; # comes with the package around it, or is the bridge itself
      esac
      mkdir -p "$1/$(dirname -- "$relative")"
      cp -R "$directory" "$1/$relative"
    done
    return
  fi
  set -- "$1" --omit=dev --ignore-scripts --no-audit --no-fund
  staged=$1
  shift
  # The versions that the bridge was tried with: a checkout has them in the one file, a package in the other.
  for lock in package-lock.json npm-shrinkwrap.json; do
    [ ! -f "$source/$lock" ] || cp "$source/$lock" "$staged/"
  done
  (cd "$staged" && npm ci "$@")
}

# As whole beside the old one, then changed over: an installation that breaks off leaves the old one as it was.
umask 022
rm -rf "$program.new"
mkdir -p "$program.new"
trap 'rm -rf "$program.new"' EXIT
for part in dist config deploy docs package.json README.md SECURITY.md CHANGELOG.md LICENSE; do cp -R "$source/$part" "$program.new/"; done
install_packages "$program.new"
chmod -R go+rX,go-w "$program.new"
[ -d "$program.new/node_modules/oracledb" ] || fail 'the packages could not be copied'
"$node" "$program.new/dist/main.js" schema --set bridge.id=installing >/dev/null || fail 'the copy does not run'
rm -rf "$program.old"
[ ! -e "$program" ] || mv "$program" "$program.old"
mv "$program.new" "$program"
rm -rf "$program.old"
say "program        $program"

mkdir -p "$dest/usr/local/bin"
printf '#!/bin/sh\nexec %s %s/dist/main.js "$@"\n' "$node" "$prefix" >"$dest/usr/local/bin/$name"
chmod 755 "$dest/usr/local/bin/$name"

if [ -z "$dest" ] && ! id "$name" >/dev/null 2>&1; then
  useradd --system --user-group --no-create-home --home-dir "/var/lib/$name" --shell /usr/sbin/nologin "$name"
fi

mkdir -p "$etc/credentials"
chmod 750 "$etc"
chmod 700 "$etc/credentials"
is_new=no
if [ ! -e "$etc/bridge.json" ]; then
  is_new=yes
  cp "$source/config/bridge.example.json" "$etc/bridge.json"
  chmod 640 "$etc/bridge.json"
fi
cp "$source/config/bridge.schema.json" "$etc/bridge.schema.json"
chmod 640 "$etc/bridge.schema.json"
# Empty rather than missing: then the bridge itself says what is wrong.
[ -e "$etc/credentials/oracle-password" ] || (umask 077 && : >"$etc/credentials/oracle-password")
[ -n "$dest" ] || chown "root:$name" "$etc" "$etc/bridge.json" "$etc/bridge.schema.json"
say "configuration  $etc/bridge.json"

mkdir -p "$units"
sed -e "s#/usr/bin/node#$node#g" -e "s#/opt/$name#$prefix#g" "$source/deploy/systemd/$name.service" >"$units/$name.service"
chmod 644 "$units/$name.service"
if [ -s "$etc/credentials/mqtt-password" ]; then
  mkdir -p "$units/$name.service.d"
  [ -e "$units/$name.service.d/mqtt-password.conf" ] ||
    cp "$source/deploy/systemd/mqtt-password.conf" "$units/$name.service.d/mqtt-password.conf"
fi
say "service        $units/$name.service"

if [ -n "$dest" ]; then
  say 'not enabled    DESTDIR is set'
elif [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet "$name"
else
  say "not enabled    systemd does not run here; later: systemctl enable $name"
fi

say ''
if [ "$is_new" = yes ]; then
  cat <<NEXT
Next:
  1. Edit /etc/$name/bridge.json: mqtt.url, mqtt.subscriptions, oracle.connectString, oracle.user.
  2. Put the password of the database user into /etc/$name/credentials/oracle-password; where the broker wants
     one, its password into …/credentials/mqtt-password, and run this script again.
  3. $name schema --config /etc/$name/bridge.json   is the DDL for your DBA; see also $prefix/deploy/oracle.
  4. systemctl start $name && systemctl status $name
NEXT
else
  say "The configuration is as it was. To run the new version: systemctl restart $name"
fi
