# For scripts that need a registry: starts Debian's docker-registry as $R (HOST:PORT), on the loopback address of this machine,
# with its folder $D; both go when the script ends. `registry auth` starts one with TLS where alice's password is "secret".
# Output goes through `said`, which leaves out what differs between registries and engines.
D=$(mktemp -d)
R=127.0.0.1:$(shuf -i 20000-32000 -n 1)
said() { sed "s/$R/REGISTRY/g; s/size: [0-9]*/size: BYTES/"; }
registry() {
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s/data}}\nhttp:\n  addr: %s\n' "$D" "$R" > "$D/config.yml"
  if [ "$1" = auth ]; then
    htpasswd -Bbn alice secret > "$D/users"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
      -keyout "$D/key.pem" -out "$D/cert.pem" 2> "$D/openssl.log"
    printf '  tls: {certificate: %s/cert.pem, key: %s/key.pem}\nauth: {htpasswd: {realm: lab, path: %s/users}}\n' \
      "$D" "$D" "$D" >> "$D/config.yml"
  fi
  docker-registry serve "$D/config.yml" > "$D/log" 2>&1 &
  REGISTRY=$!
  trap 'kill $REGISTRY; wait $REGISTRY 2> "$D/end"; rm -r "$D"' EXIT
  for _ in $(seq 100); do
    grep -q 'listening on' "$D/log" && return
    sleep 0.05
  done
}
