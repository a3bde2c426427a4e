#!/bin/sh
# Writes what nginx.conf includes: the name server, NGINX_RESOLVER or the first of /etc/resolv.conf. It is the container's;
# Podman lists the host's after it, and nginx would ask both in turns. Argument: the file to write.
set -eu
: "${NGINX_RESOLVER:=$(awk '$1 == "nameserver" { print ($2 ~ /:/) ? "[" $2 "]" : $2; exit }' /etc/resolv.conf)}"
printf 'resolver %s valid=2s ipv6=off;\n' "$NGINX_RESOLVER" >"$1"
