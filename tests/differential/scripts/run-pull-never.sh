N=${N:-df$$}
$DOCKER run --pull never nosuch:tag; echo $?
