#!/bin/sh
# Writes what nginx.conf includes: how the page signs in, for /config.json and the content security policy.
# Arguments: the file to write. Environment: AUTH_MODE, AUTH_ISSUER, AUTH_AUDIENCE as of the services, and
#   AUTH_CLIENT_ID    of the page at the issuer; the first of AUTH_AUDIENCE if empty
#   AUTH_SCOPE        that the page asks for; "openid profile" if unset
#   AUTH_ROLES_CLAIM  as of the services
#   AUTH_ORIGINS      other origins than the issuer's that the page has to reach to sign in, separated by spaces
set -eu

auth='' connect=''
if [ "${AUTH_MODE:-oidc}" != open ]; then
    : "${AUTH_ISSUER:?is not set, nor AUTH_MODE=open}" "${AUTH_AUDIENCE:?is not set, nor AUTH_MODE=open}"
    : "${AUTH_SCOPE:=openid profile}" "${AUTH_ROLES_CLAIM:=cognito:groups}"
    scheme=${AUTH_ISSUER%%://*} host=${AUTH_ISSUER#*://}
    connect=" $scheme://${host%%/*}${AUTH_ORIGINS:+ $AUTH_ORIGINS}"
    client=${AUTH_CLIENT_ID:-${AUTH_AUDIENCE%%,*}}
    case "$AUTH_ISSUER$client$AUTH_SCOPE$AUTH_ROLES_CLAIM$connect" in
    *[\'\"\\\$\;]* | *[![:print:]]*)
        echo 'page-config.sh: AUTH_… with a quote, a backslash, a dollar sign, a semicolon or a control character' >&2
        exit 1
        ;;
    esac
    auth=",\"auth\":{\"issuer\":\"$AUTH_ISSUER\",\"clientId\":\"$client\",\"scope\":\"$AUTH_SCOPE\",\"rolesClaim\":\"$AUTH_ROLES_CLAIM\"}"
fi
# shellcheck disable=SC2016 # nginx's variables
printf 'map "" $page_%s { default '\''%s'\''; }\n' auth "$auth" connect "$connect" >"$1"
