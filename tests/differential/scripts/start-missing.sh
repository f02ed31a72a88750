N=${N:-df$$}
$DOCKER start nosuch-$N; echo $?
