N=${N:-df$$}
$DOCKER run --rm --pids-limit 50 -d --name $N-p busybox sleep 100 >/dev/null; $DOCKER inspect -f '{{.HostConfig.PidsLimit}}' $N-p; $DOCKER rm -f $N-p
