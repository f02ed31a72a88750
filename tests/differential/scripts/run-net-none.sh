N=${N:-df$$}
$DOCKER run --rm --net none busybox ls /sys/class/net
