N=${N:-df$$}
$DOCKER run --rm --entrypoint echo busybox a b
