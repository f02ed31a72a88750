N=${N:-df$$}
$DOCKER inspect nosuch-$N; echo $?; $DOCKER inspect --type container nosuch-$N; $DOCKER inspect --type foo x
