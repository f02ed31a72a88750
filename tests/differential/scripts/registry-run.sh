# Containers of images that a registry has: when they are pulled, and what is said.
. "$(dirname "$0")/../registry.sh"; registry; $DOCKER tag busybox $R/box:1; $DOCKER push -q $R/box:1 | said; $DOCKER rmi $R/box:1 > $D/out
for pull in never missing always missing; do $DOCKER run --rm --pull $pull $R/box:1 echo ran 2>&1 | said; done; $DOCKER run --rm -q $R/box:1 echo ran
$DOCKER run --rm $R/box@$(curl -sI -H "Accept: $OCI.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json" http://$R/v2/box/manifests/1 | tr -d '\r' | sed -n 's/^docker-content-digest: //Ip') echo by digest 2>&1 | said
$DOCKER create --name $N --pull always -q $R/box:1 > $D/out; $DOCKER inspect -f '{{.Config.Image}}' $N | said; $DOCKER ps -a --filter name=$N --format '{{.Image}}' | said; $DOCKER rmi -f $R/box:1 | said | head -1; $DOCKER rm $N | said
gone $R/box:1
