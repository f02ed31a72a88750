N=${N:-df$$}
$DOCKER run -d --name $N-e busybox sleep 100 >/dev/null; $DOCKER exec $N-e nosuchcmd >/dev/null 2>&1; echo $?; $DOCKER rm -f $N-e
