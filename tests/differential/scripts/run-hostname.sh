N=${N:-df$$}
$DOCKER run --rm -h myhost busybox hostname
