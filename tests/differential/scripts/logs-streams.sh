N=${N:-df$$}
$DOCKER run --name $N-l busybox sh -c "echo a; echo b >&2" >/dev/null 2>&1; $DOCKER logs $N-l 2>/dev/null; $DOCKER rm $N-l
