N=${N:-df$$}
$DOCKER run -it busybox true </dev/null; echo $?
