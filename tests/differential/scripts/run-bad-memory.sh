N=${N:-df$$}
$DOCKER run --memory abc busybox; echo $?
