N=${N:-df$$}
$DOCKER run --log-driver none --name $N-l busybox echo a; $DOCKER logs $N-l; echo $?; $DOCKER rm $N-l
