N=${N:-df$$}
$DOCKER create --name $N-a busybox echo started >/dev/null; $DOCKER start -a $N-a; $DOCKER rm $N-a
