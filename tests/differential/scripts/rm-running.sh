N=${N:-df$$}
$DOCKER run -d --name $N-r busybox sleep 100 >/dev/null; $DOCKER rm $N-r; echo $?; $DOCKER rm -f $N-r; $DOCKER rm $N-r; echo $?
