N=${N:-df$$}
$DOCKER run --rm -v $N-v:/d busybox sh -c "echo kept > /d/f"; $DOCKER run --rm -v $N-v:/d busybox cat /d/f; $DOCKER create --name $N-u -v $N-v:/d busybox >/dev/null; $DOCKER volume rm $N-v; $DOCKER rm $N-u; $DOCKER volume rm $N-v
