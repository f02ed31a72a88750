N=${N:-df$$}
$DOCKER run --name $N-l busybox sh -c "echo a; echo b; echo c" >/dev/null; $DOCKER logs $N-l; $DOCKER logs -n 1 $N-l; $DOCKER logs --tail 0 $N-l; $DOCKER rm $N-l
