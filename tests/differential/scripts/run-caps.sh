N=${N:-df$$}
$DOCKER run --rm busybox grep Cap /proc/self/status
