#!/bin/sh
# sh follow-with-curl.sh http://127.0.0.1:8082/stream [LAST_ID]
set -u
url=$1
last=${2:-}
exec 3>&1

# Writes data to 3 and the last id to 1; an id counts at the end of its block, after its data.
read_blocks() {
    id='' data='' event=''
    while IFS= read -r line; do
        case $line in
        'id: '*) id=${line#id: } ;;
        'event: '*) event=${line#event: } ;;
        'data: '*) data=${line#data: } ;;
        'retry: '*) retry_ms=${line#retry: } ;;
        '')
            case $event in '' | reset) printf '%s\n' "$data" >&3 ;; esac
            last=${id:-$last} id='' data='' event=''
            ;;
        esac
    done
    printf '%s %s\n' "$last" "$((retry_ms / 1000 + 1))"
}

while :; do
    retry_ms=1000
    # ends after three heartbeats of silence
    state=$(curl --silent --no-buffer --speed-limit 1 --speed-time 45 \
        ${last:+--header "Last-Event-ID: $last"} "$url" | read_blocks)
    last=${state% *}
    sleep "${state##* }"
done
