N=${N:-df$$}
$DOCKER run -t -d --name $N-l busybox sh -c "echo a; echo b >&2" >/dev/null; $DOCKER wait $N-l; $DOCKER logs $N-l | od -c; $DOCKER logs --tail 1 $N-l; $DOCKER logs --details $N-l; $DOCKER rm $N-l
