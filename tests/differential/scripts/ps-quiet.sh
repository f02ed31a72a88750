N=${N:-df$$}
$DOCKER create --name $N-p busybox >/dev/null; $DOCKER ps -aq --no-trunc --filter name=$N; $DOCKER rm $N-p
