N=${N:-df$$}
$DOCKER run --rm busybox sh -c 'exit 7'; echo $?
