N=${N:-df$$}
$DOCKER create --name $N-l busybox echo a >/dev/null; $DOCKER logs $N-l; echo $?; $DOCKER logs -f $N-l; echo $?; $DOCKER rm $N-l
