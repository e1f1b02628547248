#!/bin/bash
# What Elasticsearch lacks after its first start: Kibana's password, and logging's key. Repeating it changes nothing.
set -euo pipefail
umask 077
VOLUMES="${VOLUMES:-/volumes}"
URL="${URL:-http://elasticsearch:9200}"
LOGGING=10001

# ask <path> <body>. The password goes in by a file descriptor: an argument would be visible.
ask() {
  curl --fail --silent --show-error --config <(printf 'user = "elastic:%s"' "$(cat "$VOLUMES/elasticsearch/elastic")") \
    --header 'content-type: application/json' --data-binary @- "$URL/$1" <<<"$2"
}

ask _security/user/kibana_system/_password "{\"password\":\"$(cat "$VOLUMES/elasticsearch/kibana")\"}" >/dev/null

file="$VOLUMES/logging/elasticsearch-api-key"
if [ ! -s "$file" ]; then
  answer="$(ask _security/api_key '{
    "name": "logging",
    "role_descriptors": {"ship": {"indices": [{
      "names": ["bhiv-logs*"], "privileges": ["create_index", "create_doc", "auto_configure"]
    }]}}
  }')"
  key="$(grep -o '"encoded":"[^"]*"' <<<"$answer" | cut -d '"' -f 4)"
  [ -n "$key" ] || { echo "Elasticsearch gave no key: $answer" >&2; exit 1; }
  printf '%s' "$key" >"$file.new"
  chown "$LOGGING:$LOGGING" "$file.new"
  chmod 400 "$file.new"
  mv "$file.new" "$file"
fi
