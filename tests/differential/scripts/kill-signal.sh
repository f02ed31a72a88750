N=${N:-df$$}
$DOCKER run -d --name $N-k busybox sleep 100 >/dev/null; $DOCKER kill -s KILL $N-k; $DOCKER wait $N-k; $DOCKER rm $N-k
