# Images that share their first layer: what is there already is not fetched; histories.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 top amd64 base; image app 2 other amd64 base; image app 3 base
$DOCKER pull $R/app:1 2>&1 | said | sort; $DOCKER pull $R/app:2 2>&1 | said | sort; $DOCKER pull $R/app:3 2>&1 | said; listed
$DOCKER rmi $R/app:1 | said; $DOCKER rmi $R/app:3 | said; $DOCKER rmi $R/app:2 | said
$DOCKER pull $R/app:3 2>&1 | said; $DOCKER pull $R/app:1 2>&1 | said | sort; $DOCKER history -q --no-trunc $R/app:1 | said; $DOCKER history --format '{{.ID}} {{.CreatedBy}}' $R/app:1 | said
$DOCKER rmi $R/app:1 $R/app:3 | said
