N=${N:-df$$}
$DOCKER run; echo $?
