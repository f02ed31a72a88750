N=${N:-df$$}
$DOCKER run --rm -w /some/dir busybox pwd
