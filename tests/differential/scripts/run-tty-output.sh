N=${N:-df$$}
$DOCKER run --rm -t busybox echo tty | od -c | head -2
