N=${N:-df$$}
$DOCKER stop; $DOCKER rename a; $DOCKER exec a; $DOCKER tag a; $DOCKER volume rm; $DOCKER network ls x; $DOCKER foo; $DOCKER container foo; $DOCKER ps -n; $DOCKER logs a b; echo $?
