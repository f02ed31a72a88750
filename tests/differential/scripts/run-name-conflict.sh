N=${N:-df$$}
$DOCKER create --name $N-c busybox >/dev/null; $DOCKER create --name $N-c busybox; echo $?; $DOCKER rm $N-c
