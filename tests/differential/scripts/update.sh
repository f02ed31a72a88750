N=${N:-df$$}
$DOCKER run -d --name $N-u busybox sleep 100 >/dev/null; $DOCKER update --memory 64m --memory-swap 64m --restart no $N-u; $DOCKER inspect -f "{{.HostConfig.Memory}}" $N-u; $DOCKER update $N-u; $DOCKER rm -f $N-u
