# A tag that has moved at the registry: the old image stays without a name; what is told, and pruned.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 one; image other 1 one; t=$(date +%s.%N)
$DOCKER pull -q $R/app:1 | said; old=$($DOCKER images -q --no-trunc $R/app:1); image app 1 two; $DOCKER pull $R/app:1 2>&1 | said; listed; $DOCKER images --filter label=n=$N --filter dangling=true --format '{{.Repository}} {{.Tag}}' | said
$DOCKER image inspect -f '{{.RepoTags}} {{.RepoDigests}}' $old | said; image app 1 one; $DOCKER pull $R/app:1 2>&1 | said; listed; $DOCKER pull -q $R/other:1 | said; listed
$DOCKER tag $R/app:1 $N:kept; image app 1 three; $DOCKER pull $R/app:1 2>&1 | said; listed; $DOCKER rmi $R/app:1 | said; listed
$DOCKER rmi $N:kept $R/other:1 2>&1 | said; listed; events_since $t
$DOCKER images --filter label=n=$N -q | sort -u | while read id; do gone $id; done
image app 1 four; image app 2 five; $DOCKER pull -q $R/app@$(digest $D/app-1) | said; $DOCKER pull -q $R/app:2 | said; $DOCKER image prune -f --filter label=n=$N | said | sed 's/space: .*/space/'; listed; gone $R/app:2
