N=${N:-df$$}
exec 2>&1
$DOCKER run --rm --net nosuch-$N busybox true; echo $?; $DOCKER network rm bridge; echo $?
