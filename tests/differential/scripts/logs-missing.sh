N=${N:-df$$}
$DOCKER logs nosuch-$N; echo $?
