N=${N:-df$$}
$DOCKER run -d --name $N-e busybox sleep 100 >/dev/null; $DOCKER exec $N-e sh -c "exit 9"; echo $?; $DOCKER rm -f $N-e
