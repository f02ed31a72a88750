N=${N:-df$$}
$DOCKER run --rm --net host busybox true; echo $?
