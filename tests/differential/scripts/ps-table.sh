N=${N:-df$$}
$DOCKER create --name $N-p busybox sleep 1 >/dev/null; $DOCKER ps -a --filter name=$N; $DOCKER ps -a --filter name=$N --format "table {{.Names}}\t{{.Status}}\t{{.Label \"a\"}}"; $DOCKER rm $N-p
