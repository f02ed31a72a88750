N=${N:-df$$}
$DOCKER run --rm -u 12:34 busybox id
