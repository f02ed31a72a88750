N=${N:-df$$}
$DOCKER run --rm -u nobody busybox id -u
