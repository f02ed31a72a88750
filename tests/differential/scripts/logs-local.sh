N=${N:-df$$}
$DOCKER run --name $N-l --log-driver local busybox sh -c 'echo a; sleep 0.1; echo b >&2; sleep 0.1; echo c' >/dev/null 2>&1; $DOCKER logs $N-l 2>&1 | sort; $DOCKER logs -n 1 $N-l; $DOCKER inspect -f '[{{.LogPath}}] {{json .HostConfig.LogConfig}}' $N-l; $DOCKER rm $N-l
