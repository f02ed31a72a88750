# For scripts that need a registry: starts Debian's docker-registry as $R (HOST:PORT), on the loopback address of this machine,
# with its folder $D; both go when the script ends. `registry auth` starts one with TLS where alice's password is "secret".
# Output goes through `said`, which leaves out what differs between registries and engines, and what comes by chance.
D=$(mktemp -d)
R=127.0.0.1:$(shuf -i 20000-32000 -n 1)
export LC_ALL=C
said() { sed "s/$R/REGISTRY/g; s/size: [0-9]*/size: BYTES/; s/^[0-9a-f]\{12\}: /LAYER: /; /^LAYER: Verifying Checksum$/d"; }
registry() {
  command -v docker-registry > "$D/found" || { echo 'skipped: docker-registry is not installed'; rm -r "$D"; exit 0; }
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s/data}, delete: {enabled: true}}\nhttp:\n  addr: %s\n' "$D" "$R" > "$D/config.yml"
  if [ "$1" = auth ]; then
    htpasswd -Bbn alice secret > "$D/users"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
      -keyout "$D/key.pem" -out "$D/cert.pem" 2> "$D/openssl.log"
    printf '  tls: {certificate: %s/cert.pem, key: %s/key.pem}\nauth: {htpasswd: {realm: lab, path: %s/users}}\n' \
      "$D" "$D" "$D" >> "$D/config.yml"
  fi
  : > "$D/log"
  docker-registry serve "$D/config.yml" > "$D/log" 2>&1 &
  REGISTRY=$!
  trap 'kill $REGISTRY; wait $REGISTRY 2> "$D/end"; rm -r "$D"' EXIT
  for _ in $(seq 100); do
    grep -q 'listening on' "$D/log" && return
    sleep 0.05
  done
}

# Puts documents into the registry as they are, so that every engine gets the same bytes.
OCI=application/vnd.oci.image
digest() { echo "sha256:$(sha256sum < "$1" | cut -d ' ' -f 1)"; }
about() { printf '{"mediaType":"%s","digest":"%s","size":%s%s}' "$1" "$(digest "$2")" "$(stat -c %s "$2")" "$3"; }
# blob REPOSITORY FILE
blob() {
  place=$(curl -siX POST "http://$R/v2/$1/blobs/uploads/" | tr -d '\r' | sed -n 's/^location: //Ip')
  curl -sX PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" "$place&digest=$(digest "$2")" > "$D/put"
}
# manifest REPOSITORY REFERENCE FILE TYPE
manifest() { curl -sX PUT -H "Content-Type: $4" --data-binary "@$3" "http://$R/v2/$1/manifests/$2"; }
# image REPOSITORY TAG CONTENT [ARCHITECTURE [BASE]]: an image of one layer, or of two when there is a base; leaves its manifest in $D/REPOSITORY-TAG.
image() {
  f=$D/$(echo "$1" | tr / _)-$2; layers='' ids=''
  for content in $5 "$3"; do
    mkdir -p "$f.tree"; echo "$content $N" > "$f.tree/$content"
    tar -C "$f.tree" --mtime @0 -cf "$f.tar" "$content"; gzip -nkf "$f.tar"; blob "$1" "$f.tar.gz"
    layers="$layers${layers:+,}$(about $OCI.layer.v1.tar+gzip "$f.tar.gz")" ids="$ids${ids:+,}\"$(digest "$f.tar")\""
  done
  printf '{"created":"2024-01-02T03:04:05Z","architecture":"%s","os":"linux","config":{"Cmd":["/x"],"Labels":{"n":"%s"}},"rootfs":{"type":"layers","diff_ids":[%s]},"history":[{"created":"2024-01-02T03:04:05Z","created_by":"%s"}]}' \
    "${4:-amd64}" "$N" "$ids" "$3" > "$f.config"
  blob "$1" "$f.config"
  printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":%s,"layers":[%s]}' $OCI "$(about $OCI.config.v1+json "$f.config")" "$layers" > "$f"
  manifest "$1" "$2" "$f" $OCI.manifest.v1+json
}
# index REPOSITORY TAG ENTRY…: of `about` descriptors.
index() {
  f=$D/$(echo "$1" | tr / _)-$2; repository=$1 tag=$2; shift 2
  printf '{"schemaVersion":2,"mediaType":"%s.index.v1+json","manifests":[%s]}' $OCI "$(echo "$@" | sed 's/} {/},{/g')" > "$f"
  manifest "$repository" "$tag" "$f" $OCI.index.v1+json
}
# listed: the images of this script; events_since TIME: what was told of them.
listed() { $DOCKER images --filter label=n="$N" --digests --format '{{.Repository}} {{.Tag}} {{.Digest}}' "$@" | sort | said; }
events_since() {
  $DOCKER events --since "$1" --until "$(date +%s.%N)" --filter type=image --format '{{.Action}} {{.Actor.ID}} {{json .Actor.Attributes}}' |
    grep -e "$R" -e "$N" | said
}
gone() { $DOCKER rmi -f "$@" > "$D/gone" 2>&1; }
