N=${N:-df$$}
$DOCKER run --rm busybox sh -c 'kill -9 $$'; echo $?
