N=${N:-df$$}
$DOCKER run -d --name $N-e busybox sleep 100 >/dev/null; printf abc | $DOCKER exec -i $N-e wc -c; $DOCKER rm -f $N-e
