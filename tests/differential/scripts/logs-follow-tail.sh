N=${N:-df$$}
$DOCKER run -d --name $N-l busybox sh -c "seq 1 10; sleep 0.6; echo after" >/dev/null; sleep 0.3; $DOCKER logs -f --tail 2 $N-l; $DOCKER logs -f --tail 0 $N-l; $DOCKER rm $N-l
