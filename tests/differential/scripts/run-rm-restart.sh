N=${N:-df$$}
$DOCKER run --rm --restart always busybox; echo $?
