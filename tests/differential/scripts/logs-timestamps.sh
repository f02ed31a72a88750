N=${N:-df$$}
$DOCKER run --name $N-l busybox echo a >/dev/null; $DOCKER logs -t $N-l; $DOCKER logs --since 1h $N-l; $DOCKER logs --until 2001-01-01 $N-l; $DOCKER rm $N-l
