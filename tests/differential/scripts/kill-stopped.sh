N=${N:-df$$}
$DOCKER create --name $N-k busybox >/dev/null; $DOCKER kill $N-k; echo $?; $DOCKER rm $N-k
