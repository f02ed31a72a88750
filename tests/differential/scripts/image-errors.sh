N=${N:-df$$}
$DOCKER rmi nosuch-$N; echo $?; $DOCKER history nosuch-$N; $DOCKER save nosuch-$N | wc -c; $DOCKER load -i /nosuch; echo $?
