#!/bin/sh
# Writes what nginx.conf includes: how the page signs in, for /config.json and the content security policy, and where
# its traces go.
# Arguments: the file to write. Environment: AUTH_MODE, AUTH_ISSUER, AUTH_AUDIENCE as of the services, and
#   AUTH_CLIENT_ID    of the page at the issuer; the first of AUTH_AUDIENCE if empty
#   AUTH_SCOPE        that the page asks for; "openid profile" if unset
#   AUTH_ROLES_CLAIM  as of the services
#   AUTH_ORIGINS      other origins than the issuer's that the page has to reach to sign in, separated by spaces
#   PAGE_TRACES_RATIO, OTEL_EXPORTER_OTLP_ENDPOINT
#                     the share of orders that the page begins a sampled trace with, and the collector for its spans, to
#                     which nginx forwards them; the page begins no traces unless both are there
set -eu

refuse() {
    echo "page-config.sh: $1" >&2
    exit 1
}

auth='' connect='' traces='' collector=''
if [ "${AUTH_MODE:-oidc}" != open ]; then
    : "${AUTH_ISSUER:?is not set, nor AUTH_MODE=open}" "${AUTH_AUDIENCE:?is not set, nor AUTH_MODE=open}"
    : "${AUTH_SCOPE:=openid profile}" "${AUTH_ROLES_CLAIM:=cognito:groups}"
    scheme=${AUTH_ISSUER%%://*} host=${AUTH_ISSUER#*://}
    connect=" $scheme://${host%%/*}${AUTH_ORIGINS:+ $AUTH_ORIGINS}"
    client=${AUTH_CLIENT_ID:-${AUTH_AUDIENCE%%,*}}
    case "$AUTH_ISSUER$client$AUTH_SCOPE$AUTH_ROLES_CLAIM$connect" in
    *[\'\"\\\$\;]* | *[![:print:]]*)
        refuse 'AUTH_… with a quote, a backslash, a dollar sign, a semicolon or a control character'
        ;;
    esac
    auth=",\"auth\":{\"issuer\":\"$AUTH_ISSUER\",\"clientId\":\"$client\",\"scope\":\"$AUTH_SCOPE\",\"rolesClaim\":\"$AUTH_ROLES_CLAIM\"}"
fi
if [ "${PAGE_TRACES_RATIO:-}" ] && [ "${OTEL_EXPORTER_OTLP_ENDPOINT:-}" ]; then
    collector=${OTEL_EXPORTER_OTLP_ENDPOINT%/}
    case "$PAGE_TRACES_RATIO" in
    0 | 1) ;;
    0.*[!0-9]*) refuse 'PAGE_TRACES_RATIO is not 0 to 1' ;;
    0.?*) ;;
    *) refuse 'PAGE_TRACES_RATIO is not 0 to 1' ;;
    esac
    case "$collector" in
    *[!A-Za-z0-9:/._-]*) refuse 'OTEL_EXPORTER_OTLP_ENDPOINT with more than scheme, host, port and path' ;;
    esac
    traces=",\"traces\":{\"url\":\"/otlp/v1/traces\",\"ratio\":$PAGE_TRACES_RATIO}"
fi
# shellcheck disable=SC2016 # nginx's variables
printf 'map "" $page_%s { default '\''%s'\''; }\n' \
    auth "$auth" connect "$connect" traces "$traces" collector "$collector" >"$1"
