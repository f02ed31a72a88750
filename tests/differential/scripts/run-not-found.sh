N=${N:-df$$}
$DOCKER run --rm busybox nosuchcmd >/dev/null 2>&1; echo $?
