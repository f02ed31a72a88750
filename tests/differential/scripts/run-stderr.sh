N=${N:-df$$}
$DOCKER run --rm busybox sh -c 'echo err >&2' 2>/dev/null; echo done
