# Events of pull, push, tag, untag and delete, in their order and with their attributes.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 one; image app 2 two; t=$(date +%s.%N)
$DOCKER pull -q $R/app:1 | said; $DOCKER pull -q $R/app:1 | said; $DOCKER pull -q $R/app@$(digest $D/app-2) | said; $DOCKER pull -aq $R/app | said; $DOCKER pull -q $R/app:none 2>&1 | said
$DOCKER tag $R/app:1 $R/new:1; $DOCKER push -q $R/new:1 | said; $DOCKER push -q $R/new:1 | said; $DOCKER push -aq $R/new | said; $DOCKER push -q $R/none 2>&1 | said; $DOCKER tag $R/app:2 $R/new:1; $DOCKER push -q $R/new:1 | said
$DOCKER rmi $R/app:1 $R/new:1 | said; $DOCKER rmi $R/app:2 | said; events_since $t
$DOCKER images --filter label=n=$N -q | sort -u | while read id; do gone $id; done
