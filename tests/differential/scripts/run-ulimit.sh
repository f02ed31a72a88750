N=${N:-df$$}
$DOCKER run --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -n; ulimit -Hn'
