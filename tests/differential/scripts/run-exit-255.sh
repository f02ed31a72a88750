N=${N:-df$$}
$DOCKER run --rm busybox sh -c 'exit 255'; echo $?
