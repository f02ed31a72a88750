N=${N:-df$$}
$DOCKER create --name $N-p busybox sleep 1 >/dev/null; $DOCKER ps -a --filter name=$N --format json; $DOCKER rm $N-p
