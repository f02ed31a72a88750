N=${N:-df$$}
$DOCKER run --rm --net nosuch-$N busybox true; echo $?; $DOCKER network rm bridge; echo $?
