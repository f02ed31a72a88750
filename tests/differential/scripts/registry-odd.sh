# Documents and layers that can't be used: lies about content, unknown types, no JSON, artifacts.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 one; image app 2 two; image app 3 three; m=$OCI.manifest.v1+json
data() { echo $D/data/docker/registry/v2/blobs/sha256/$(digest $1 | cut -c 8-9)/$(digest $1 | cut -d : -f 2)/data; }
echo lie > $(data $D/app-1.tar.gz); $DOCKER pull $R/app:1 2>&1 | said | grep -v -e Retrying -e Downloading -e 'fs layer'
echo '{' > $(data $D/app-2.config); $DOCKER pull $R/app:2 2>&1 | said | grep -v -e 'fs layer' -e Verifying -e Download
sed "s/$(digest $D/app-3.tar | cut -d : -f 2)/$(digest $D/app-2.tar | cut -d : -f 2)/" $D/app-3.config > $D/c; blob app $D/c; printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' $m "$(about $OCI.config.v1+json $D/c)" "$(about $OCI.layer.v1.tar+gzip $D/app-3.tar.gz)" > $D/m; manifest app 4 $D/m $m; $DOCKER pull $R/app:4 2>&1 | said | grep Error
printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[]}' $m "$(about $OCI.config.v1+json $D/app-3.config)" > $D/m; manifest app 5 $D/m $m; $DOCKER pull $R/app:5 2>&1 | said | grep -e rror
printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' $m "$(about application/vnd.cncf.helm.config.v1+json $D/app-3.config)" "$(about application/vnd.cncf.helm.chart.content.v1.tar+gzip $D/app-3.tar.gz)" > $D/m; manifest app 6 $D/m $m; $DOCKER pull $R/app:6 2>&1 | said
listed
