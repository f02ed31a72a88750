N=${N:-df$$}
$DOCKER run --name $N-l busybox echo a >/dev/null; for t in x 1z 2001-01-01 10m 1 2001-01-01T00:00:00Z 99999999999; do echo "since $t"; $DOCKER logs --since $t $N-l; $DOCKER logs --until $t $N-l; done 2>&1; $DOCKER rm $N-l
