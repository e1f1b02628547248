#!/bin/bash
# Makes passwords, URLs with passwords and a certificate, each in the volume of its reader and readable by it alone.
# What is there already stays as it is.
#
#   secrets.sh make              everything
#   secrets.sh password <name>   shows one: admin, grafana, elastic, rabbitmq, postgres, ...
set -euo pipefail
umask 077
VOLUMES="${VOLUMES:-/volumes}"
PUBLIC_URL="${PUBLIC_URL:-https://localhost}"

# Who reads: the users of the images.
BHIV=10001 POSTGRES=999 RABBITMQ=999 REDIS=999 ELASTICSEARCH=1000 KIBANA=1000 GRAFANA=472 NGINX=101

# password <name>: random, made at first use; the originals are the operator's.
password() {
  local file="$VOLUMES/operator/passwords/$1"
  if [ ! -s "$file" ]; then
    mkdir -p "$VOLUMES/operator/passwords"
    head -c 32 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' >"$file.new"
    mv "$file.new" "$file"
  fi
  cat "$file"
}

# put <reader> <file>: standard input, whole or not at all.
put() {
  local file="$VOLUMES/$2"
  cat >"$file.new"
  chown "$1:$1" "$file.new"
  chmod 400 "$file.new"
  mv "$file.new" "$file"
}

# The volume is its reader's, who may put something there too: keys, for example.
give() { chown "$1:$1" "$VOLUMES/$2" && chmod 700 "$VOLUMES/$2"; }

# urls <service> <database role> <broker's user>
urls() {
  give $BHIV "$1"
  printf 'postgres://%s:%s@postgres:5432/bhiv' "$2" "$(password "postgres-$2")" | put $BHIV "$1/database-url"
  printf 'amqp://%s:%s@rabbitmq:5672/bhiv' "$3" "$(password "rabbitmq-$3")" | put $BHIV "$1/amqp-url"
}

# Signed by itself, for the name that clients call and for those inside. Made anew a month before it ends.
certificate() {
  local host="${PUBLIC_URL#*://}" folder="$VOLUMES/tls"
  host="${host%%[:/]*}"
  if openssl x509 -in "$folder/certificate.pem" -noout -checkend 2592000 >/dev/null 2>&1 &&
    openssl x509 -in "$folder/certificate.pem" -noout -checkhost "$host" | grep -q 'does match'; then
    return 0
  fi
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 397 \
    -keyout "$folder/key.new" -out "$folder/certificate.new" -config - 2>/dev/null <<CONFIG
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
commonName = $host
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:$host, DNS:localhost, DNS:nginx, IP:127.0.0.1
CONFIG
  put $NGINX tls/key.pem <"$folder/key.new"
  put $NGINX tls/certificate.pem <"$folder/certificate.new"
  # Whoever calls has to trust it.
  chmod 444 "$folder/certificate.pem"
  rm "$folder/key.new" "$folder/certificate.new"
}

make() {
  local module
  for module in crm logistics task compliance rl logging; do urls "$module" "$module" "$module"; done
  urls bhiv-gateway gateway core
  printf 'redis://:%s@redis:6379/0' "$(password redis)" | put $BHIV bhiv-gateway/redis-url
  password admin | put $BHIV bhiv-gateway/admin-password
  [ -s "$VOLUMES/logging/master.key" ] || head -c 32 /dev/urandom | base64 | put $BHIV logging/master.key
  give $BHIV public-keys

  give $BHIV smoke
  password admin | put $BHIV smoke/admin-password

  give $BHIV operator
  printf 'postgres://postgres:%s@postgres:5432/bhiv' "$(password postgres)" | put $BHIV operator/database-admin-url
  printf 'http://admin:%s@rabbitmq:15672' "$(password rabbitmq)" | put $BHIV operator/rabbitmq-admin-url
  printf 'amqp://operator:%s@rabbitmq:5672/bhiv' "$(password rabbitmq-operator)" | put $BHIV operator/operator-amqp-url

  give $POSTGRES postgres
  password postgres | put $POSTGRES postgres/postgres
  give $RABBITMQ rabbitmq
  printf 'default_user = admin\ndefault_pass = %s\n' "$(password rabbitmq)" | put $RABBITMQ rabbitmq/20-admin.conf
  give $REDIS redis
  password redis | put $REDIS redis/password
  printf 'requirepass %s\ndir /data\nappendonly yes\nsave ""\n' "$(password redis)" | put $REDIS redis/redis.conf

  give $ELASTICSEARCH elasticsearch
  password elastic | put $ELASTICSEARCH elasticsearch/elastic
  password kibana | put $ELASTICSEARCH elasticsearch/kibana
  give $KIBANA kibana
  password kibana | put $KIBANA kibana/password
  password kibana-encryption | put $KIBANA kibana/encryption
  give $GRAFANA grafana
  password grafana | put $GRAFANA grafana/admin

  certificate
  chown "$NGINX:$NGINX" "$VOLUMES/tls" && chmod 755 "$VOLUMES/tls"
}

case "${1:-make}" in
  make) make ;;
  password)
    [ -s "$VOLUMES/operator/passwords/${2:?which one}" ] || { echo "there is no password '$2'" >&2; exit 1; }
    cat "$VOLUMES/operator/passwords/$2" && echo
    ;;
  *) echo "secrets.sh make | password <name>" >&2; exit 2 ;;
esac
