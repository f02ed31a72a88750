N=${N:-df$$}
$DOCKER run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
