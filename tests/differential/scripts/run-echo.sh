N=${N:-df$$}
$DOCKER run --rm busybox echo hello
