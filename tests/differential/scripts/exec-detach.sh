N=${N:-df$$}
$DOCKER run -d --name $N-e busybox sleep 100 >/dev/null; $DOCKER exec -d $N-e touch /made; sleep 0.3; $DOCKER exec $N-e ls /made; $DOCKER rm -f $N-e
