N=${N:-df$$}
$DOCKER run -d --name $N-p busybox sleep 100 >/dev/null; $DOCKER pause $N-p; $DOCKER inspect -f "{{.State.Status}} {{.State.Paused}}" $N-p; $DOCKER exec $N-p true; $DOCKER unpause $N-p; $DOCKER unpause $N-p; $DOCKER rm -f $N-p
