#!/bin/sh
# sh follow-with-wscat.sh ws://127.0.0.1:8082/ws [LAST_ID]          (wscat ends when its input does)
set -u
url=$1
last=${2:-}
exec 3>&1

# Writes data to 3 and the last id to 1.
read_frames() {
    while IFS= read -r frame; do
        id=
        case $frame in
        *'"id":"'*)
            id=${frame#*\"id\":\"}
            id=${id%%\"*}
            ;;
        *'"retryMs":'*)
            retry_ms=${frame#*\"retryMs\":}
            retry_ms=${retry_ms%\}}
            ;;
        esac
        case $frame in
        '{"type":"event"'*)
            data=${frame#*\"data\":}
            printf '%s\n' "${data%\}}" >&3
            ;;
        '{"type":"reset"'*) printf '%s\n' "$frame" >&3 ;;
        esac
        last=${id:-$last}
    done
    printf '%s %s\n' "$last" "$((retry_ms / 1000 + 1))"
}

case $url in *\?*) joint='&' ;; *) joint='?' ;; esac
while :; do
    retry_ms=1000
    state=$(wscat --connect "$url${last:+${joint}lastEventId=$last}" | read_frames)
    last=${state% *}
    sleep "${state##* }"
done
