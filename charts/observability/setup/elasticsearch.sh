#!/bin/sh
# Puts into Elasticsearch what Postern needs there: how long records are kept, index templates, and a user for each that comes, who
# may do no more than it must. Every request replaces what was there, so that it may run any number of times. A request that fails
# is told on standard error and sent again until it works; $READY is made when all have.
set -eu
umask 077
: "${URL:?}" "${ELASTIC_PASSWORD:?}" "${FLUENTD_PASSWORD:?}" "${GRAFANA_PASSWORD:?}" "${FILES:?}" "${READY:?}"
trap 'exit 0' TERM INT
work=$(mktemp -d)
rm -f "$READY"
printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD" >"$work/curl"

# METHOD PATH FILE
send() {
  while :; do
    status=$(curl --silent --show-error --max-time 30 --config "$work/curl" --request "$1" --header 'content-type: application/json' \
      --data-binary "@$3" --output "$work/answer" --write-out '%{http_code}' "$URL$2") || status=none
    case $status in 2??) return ;; esac
    # An answer about a password is not repeated.
    case $2 in *password* | /_security/user/*) said= ;; *) said=$(head -c 300 "$work/answer" 2>/dev/null || :) ;; esac
    echo "$1 $2: status $status, tried again in ${PAUSE:-3} s: $said" >&2
    rm -f "$work/answer"
    sleep "${PAUSE:-3}"
  done
}

# METHOD PATH TEXT
send_text() {
  printf '%s' "$3" >"$work/body"
  send "$1" "$2" "$work/body"
  rm -f "$work/body"
}

# PREFIX PATH
send_files() {
  for file in "$FILES/$1".*.json; do
    name=${file##*/"$1".}
    send PUT "$2/${name%.json}" "$file"
  done
}

# NAME ROLE PASSWORD
user() {
  send_text PUT "/_security/role/$1" "$2"
  send_text PUT "/_security/user/$1" "{\"password\":\"$3\",\"roles\":[\"$1\"]}"
}

send_files ilm.policy /_ilm/policy
send_files index_template /_index_template
user postern_fluentd '{"cluster":["monitor"],"indices":[{"names":["postern-audit","postern-log"],"privileges":["create_doc","auto_configure"]}]}' "$FLUENTD_PASSWORD"
user postern_grafana '{"cluster":["monitor"],"indices":[{"names":["postern-audit","postern-log"],"privileges":["read","view_index_metadata"]}]}' "$GRAFANA_PASSWORD"
if [ -n "${KIBANA_PASSWORD:-}" ]; then
  send_text POST /_security/user/kibana_system/_password "{\"password\":\"$KIBANA_PASSWORD\"}"
  # What imports and exports saved objects of the default space, and nothing else: no index can be read.
  user postern_objects '{"applications":[{"application":"kibana-.kibana","privileges":["feature_savedObjectsManagement.all"],"resources":["space:default"]}]}' "${OBJECTS_PASSWORD:?}"
fi
rm -rf "$work"
: >"$READY"
echo 'Elasticsearch has the policies, templates and users of Postern' >&2
# A container that ends would be started again.
while :; do
  sleep 3600 &
  wait $!
done
