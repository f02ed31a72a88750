N=${N:-df$$}
$DOCKER run --rm --mount type=tmpfs,dst=/m,tmpfs-size=1048576 busybox df -k /m | tail -1 | tr -s ' ' | cut -d' ' -f2
