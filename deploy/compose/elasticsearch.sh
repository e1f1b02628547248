#!/bin/bash
# What Elasticsearch lacks after its first start: Kibana's password, and the keys of logging and of the collector of traces.
# Repeating it changes nothing.
set -euo pipefail
umask 077
VOLUMES="${VOLUMES:-/volumes}"
URL="${URL:-http://elasticsearch:9200}"
# The account of both in their images.
SERVICE=10001

# ask <path> <body>. The password goes in by a file descriptor: an argument would be visible.
ask() {
  curl --fail --silent --show-error --config <(printf 'user = "elastic:%s"' "$(cat "$VOLUMES/elasticsearch/elastic")") \
    --header 'content-type: application/json' --data-binary @- "$URL/$1" <<<"$2"
}

ask _security/user/kibana_system/_password "{\"password\":\"$(cat "$VOLUMES/elasticsearch/kibana")\"}" >/dev/null

# key <name> <volume> <indices>: lets whoever reads the volume add to these indices, and nothing else.
key() {
  local file="$VOLUMES/$2/elasticsearch-api-key" answer key
  [ ! -s "$file" ] || return 0
  answer="$(ask _security/api_key "{
    \"name\": \"$1\",
    \"role_descriptors\": {\"ship\": {\"indices\": [{
      \"names\": [\"$3\"], \"privileges\": [\"create_index\", \"create_doc\", \"auto_configure\"]
    }]}}
  }")"
  key="$(grep -o '"encoded":"[^"]*"' <<<"$answer" | cut -d '"' -f 4)"
  [ -n "$key" ] || { echo "Elasticsearch gave no key: $answer" >&2; exit 1; }
  printf '%s' "$key" >"$file.new"
  chown "$SERVICE:$SERVICE" "$file.new"
  chmod 400 "$file.new"
  mv "$file.new" "$file"
}

key logging logging 'bhiv-logs*'
key traces otel-collector 'traces-*'
