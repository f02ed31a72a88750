N=${N:-df$$}
$DOCKER run -d --name $N-k busybox sleep 100 >/dev/null; $DOCKER kill -s FOO $N-k; echo $?; $DOCKER rm -f $N-k
