N=${N:-df$$}
$DOCKER run --rm busybox /etc >/dev/null 2>&1; echo $?
