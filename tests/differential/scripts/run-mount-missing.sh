N=${N:-df$$}
$DOCKER run --rm --mount type=bind,src=/nosuchdir,dst=/m busybox true; echo $?
