N=${N:-df$$}
$DOCKER run -d --name $N-r --restart on-failure:2 busybox false >/dev/null; i=0; while [ $i -lt 40 ] && [ "$($DOCKER inspect -f "{{.RestartCount}} {{.State.Status}}" $N-r)" != "2 exited" ]; do sleep 0.2; i=$((i+1)); done; $DOCKER inspect -f "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}" $N-r; $DOCKER rm -f $N-r
