N=${N:-df$$}
$DOCKER run --rm busybox true; echo $?
