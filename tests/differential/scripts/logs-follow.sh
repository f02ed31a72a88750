N=${N:-df$$}
$DOCKER run -d --name $N-l busybox sh -c "echo a; sleep 0.5; echo b" >/dev/null; $DOCKER logs -f $N-l; $DOCKER rm $N-l
