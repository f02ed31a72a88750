N=${N:-df$$}
$DOCKER run --rm --cap-drop ALL --cap-add CHOWN busybox grep CapEff /proc/self/status
