N=${N:-df$$}
$DOCKER run --rm --mount type=bind busybox true; echo $?
