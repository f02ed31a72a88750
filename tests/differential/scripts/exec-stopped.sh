N=${N:-df$$}
$DOCKER create --name $N-e busybox >/dev/null; $DOCKER exec $N-e true; echo $?; $DOCKER rm $N-e
