N=${N:-df$$}
$DOCKER run -p 99999:1 busybox; echo $?
