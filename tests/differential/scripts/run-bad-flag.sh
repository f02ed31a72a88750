N=${N:-df$$}
$DOCKER run --foo busybox; echo $?
