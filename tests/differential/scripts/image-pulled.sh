# Images with digests: how they are listed, inspected, tagged, saved, removed by tag, by digest and by id, and what is told of it.
. "$(dirname "$0")/../registry.sh"; registry
t=$(date +%s); mkdir -p $D/x; echo $N > $D/x/f; a=$(tar -C $D/x -c f | $DOCKER import -c "LABEL n=$N" - $R/one:1)
$DOCKER push -q $R/one:1 > $D/out; $DOCKER tag $R/one:1 $R/one:2; $DOCKER push -q $R/one:2 > $D/out; $DOCKER rmi $R/one:1 $R/one:2 > $D/out
l() { $DOCKER images --filter label=n=$N --digests --format '{{.Repository}}:{{.Tag}} {{.Digest}}' | sort; }
$DOCKER pull -q $R/one:1 | said; l | said
g=$($DOCKER image inspect -f '{{index .RepoDigests 0}}' $R/one:1); $DOCKER image inspect -f '{{.RepoTags}} {{len .RepoDigests}}' $g | said
$DOCKER pull -q $R/one:2 | said; l | said; $DOCKER tag $R/one:1 $N:copy; l | said; $DOCKER image inspect -f '{{.RepoTags}} {{len .RepoDigests}}' $N:copy | said
$DOCKER rmi $R/one:1 | said; l | said; $DOCKER rmi $g 2>&1 | said; l | said; $DOCKER rmi $N:copy $R/one:2 | said
$DOCKER pull -q $g | said; l | said; $DOCKER image inspect -f '{{.RepoTags}} {{len .RepoDigests}}' $g | said; $DOCKER save $g | tar xO manifest.json | tr , '\n' | grep RepoTags; $DOCKER tag $g $N:x; $DOCKER rmi $g | said; l | said; $DOCKER rmi $N:x | said
$DOCKER pull -q $R/one:1 | said; $DOCKER tag $R/one:1 $N:y; $DOCKER rmi $a 2>&1 | said; $DOCKER rmi -f $a | said; $DOCKER pull -q $R/one:1 | said; $DOCKER rmi $a | said; $DOCKER pull -q $g | said; $DOCKER rmi $a | said
$DOCKER events --since $t --until $(date +%s.%N) --format '{{.Type}} {{.Action}} {{json .Actor.Attributes}}' --filter type=image | grep -e $R -e $N -e $a | said
