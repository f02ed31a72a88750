N=${N:-df$$}
$DOCKER run --rm --init busybox sh -c 'cat /proc/1/comm' | wc -l
