N=${N:-df$$}
$DOCKER run --rm -m 64m -d --name $N-m busybox sleep 100 >/dev/null; $DOCKER inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}' $N-m; $DOCKER rm -f $N-m
