#!/bin/sh
# Puts the root folder of the container image together: the musl executable, what it needs to start, and nothing else.
# Knows neither Docker nor how the executable was built; the Dockerfile and a test call it. Needs no root, but only root can
# give files to the image's own user.
# usage: image-root.sh --out FOLDER --binary FILE --libraries FOLDER --certificates FILE [--notices FILE] [--licence FILE]
# The libraries' folder holds ld-musl-*.so.1, libstdc++.so.6 and libgcc_s.so.1, in any sub-folders.
set -eu

out='' binary='' libraries='' certificates='' notices='' licence=''
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2 ;;
    --binary) binary=$2 ;;
    --libraries) libraries=$2 ;;
    --certificates) certificates=$2 ;;
    --notices) notices=$2 ;;
    --licence) licence=$2 ;;
    *) echo "image-root.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
for given in "$out" "$binary" "$libraries" "$certificates"; do
  [ -n "$given" ] || { echo "image-root.sh: --out, --binary, --libraries and --certificates are needed" >&2; exit 2; }
done

library() {
  found=$(find "$libraries" -name "$1" | sort | head -n 1)
  [ -n "$found" ] || { echo "image-root.sh: no $1 below $libraries" >&2; exit 1; }
  echo "$found"
}

uid=10001
mkdir -p "$out/app/data" "$out/etc/ssl/certs" "$out/lib" "$out/tmp" "$out/usr/lib" "$out/usr/local/bin" "$out/usr/share/doc/grok2api"

loader=$(library 'ld-musl-*.so.1')
# cp follows links: in Alpine the library's other name is a link to the loader, in Debian the loader is a link itself.
cp -L "$loader" "$out/lib/$(basename "$loader")"
chmod 755 "$out/lib/$(basename "$loader")"
for name in libstdc++.so.6 libgcc_s.so.1; do
  cp -L "$(library "$name")" "$out/usr/lib/$name"
done
cp "$binary" "$out/usr/local/bin/grok2api"
chmod 755 "$out/usr/local/bin/grok2api"
cp -L "$certificates" "$out/etc/ssl/certs/ca-certificates.crt"
[ -z "$notices" ] || cp "$notices" "$out/usr/share/doc/grok2api/THIRD_PARTY_NOTICES"
[ -z "$licence" ] || cp "$licence" "$out/usr/share/doc/grok2api/LICENSE"

printf 'root:x:0:0:root:/:/sbin/nologin\ngrok2api:x:%s:%s:grok2api:/app:/sbin/nologin\n' "$uid" "$uid" >"$out/etc/passwd"
printf 'root:x:0:\ngrok2api:x:%s:\n' "$uid" >"$out/etc/group"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$out/etc/hosts"
printf 'hosts: files dns\n' >"$out/etc/nsswitch.conf"

# The native addon is unpacked to /tmp at the first call, whoever the user is.
chmod 1777 "$out/tmp"
chmod 750 "$out/app/data"
if [ "$(id -u)" -eq 0 ]; then
  chown -R 0:0 "$out/etc" "$out/lib" "$out/usr"
  chown -R "$uid:$uid" "$out/app"
fi
