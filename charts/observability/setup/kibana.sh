#!/bin/sh
# Imports the data views, searches and dashboard of Postern into Kibana: once over what was there, so that a newer chart counts, and
# again when they are gone, as they are when Elasticsearch lost its disk. What fails is told on standard error and tried again.
set -eu
umask 077
: "${URL:?}" "${OBJECTS_PASSWORD:?}" "${FILES:?}"
trap 'exit 0' TERM INT
work=$(mktemp -d)
printf 'user = "postern_objects:%s"\nheader = "kbn-xsrf: postern"\n' "$OBJECTS_PASSWORD" >"$work/curl"

# PATH ARGUMENTS OF CURL...
post() {
  path=$1
  shift
  status=$(curl --silent --show-error --max-time 60 --config "$work/curl" --output "$work/answer" --write-out '%{http_code}' \
    "$@" "$URL$path") || status=none
  [ "$status" = 200 ]
}

import() {
  # 200 may hold objects that were not taken.
  until post '/api/saved_objects/_import?overwrite=true' --form "file=@$FILES/postern.ndjson;type=application/x-ndjson" &&
    grep -q '"success": *true' "$work/answer"; do
    echo "import: status $status, tried again in ${PAUSE:-3} s: $(head -c 300 "$work/answer" 2>/dev/null || :)" >&2
    rm -f "$work/answer"
    sleep "${PAUSE:-3}"
  done
  echo 'Kibana has the saved objects of Postern' >&2
}

present() {
  post /api/saved_objects/_export --header 'content-type: application/json' \
    --data '{"objects":[{"type":"dashboard","id":"postern-records"}],"includeReferencesDeep":false}'
}

import
while :; do
  sleep "${CHECK:-300}" &
  wait $!
  # Only an answer that says so: while Kibana restarts, nothing is missing.
  present || case $status in 400 | 404) import ;; esac
done
