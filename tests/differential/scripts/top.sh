N=${N:-df$$}
$DOCKER run -d --name $N-t busybox sleep 100 >/dev/null; $DOCKER top $N-t -o pid,args | sed "s/^[0-9]*/PID/"; $DOCKER rm -f $N-t; $DOCKER top $N-t
