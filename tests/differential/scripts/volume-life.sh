N=${N:-df$$}
$DOCKER volume create $N-v; $DOCKER volume ls -q -f name=$N; $DOCKER volume inspect $N-v; $DOCKER volume rm $N-v; $DOCKER volume rm $N-v; echo $?
