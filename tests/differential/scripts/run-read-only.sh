N=${N:-df$$}
$DOCKER run --rm --read-only busybox touch /x; echo $?
