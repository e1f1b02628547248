# NGINX with the files that deploy/ ships, in front of gateways on loopback. Sourced, never run.

FRONT="$DATA/front"
FRONT_PORT=$((HTTP_BASE + 81))

# front_up <ports of gateways...>: with a certificate of its own, $FRONT/certificate.pem.
front_up() {
  front_down
  mkdir -p "$FRONT/conf.d" "$FRONT/temp"
  [ -s "$FRONT/key.pem" ] ||
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
      -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
      -keyout "$FRONT/key.pem" -out "$FRONT/certificate.pem" 2>/dev/null
  local text servers='' port
  for port in "$@"; do servers+="server 127.0.0.1:$port max_fails=2 fail_timeout=5s; "; done
  # What envsubst does in the official image.
  text="$(cat "$ROOT/deploy/nginx/gateway.conf.template")"
  text="${text//'${GATEWAYS}'/$servers}"
  text="${text//'${HTTP_LISTEN}'/127.0.0.1:$((FRONT_PORT - 1))}"
  text="${text//'${HTTPS_LISTEN}'/127.0.0.1:$FRONT_PORT}"
  text="${text//'${PUBLIC_URL}'/https://127.0.0.1:$FRONT_PORT}"
  text="${text//'${TLS_CERTIFICATE}'/$FRONT/certificate.pem}"
  text="${text//'${TLS_KEY}'/$FRONT/key.pem}"
  text="${text//'${ACCESS_LOG}'/$FRONT/access}"
  text="${text//'${TEMP_DIR}'/$FRONT/temp}"
  printf '%s\n' "$text" >"$FRONT/conf.d/gateway.conf"
  cp "$ROOT/deploy/nginx/nginx.conf" "$FRONT/nginx.conf"
  own www-data "$FRONT"
  exec_as www-data nginx -p "$FRONT" -c "$FRONT/nginx.conf" -e "$FRONT/errors" -g "daemon off; pid $FRONT/pid;" \
    >/dev/null 2>>"$FRONT/errors" </dev/null &
  wait_until 15 curl -sko /dev/null "https://127.0.0.1:$FRONT_PORT/" || { tail -n 20 "$FRONT/errors" >&2; return 1; }
}

front_down() { end_process "$FRONT/pid" 10; }
