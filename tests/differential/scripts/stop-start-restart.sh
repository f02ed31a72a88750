N=${N:-df$$}
$DOCKER run -d --name $N-s busybox sleep 100 >/dev/null; $DOCKER stop -t 0 $N-s; $DOCKER inspect -f "{{.State.Status}} {{.State.ExitCode}}" $N-s; $DOCKER start $N-s; $DOCKER restart -t 0 $N-s; $DOCKER rm -f $N-s
