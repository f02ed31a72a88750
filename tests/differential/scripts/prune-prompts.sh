N=${N:-df$$}
$DOCKER container prune </dev/null; echo; $DOCKER image prune </dev/null; echo; $DOCKER volume prune -a </dev/null; echo; $DOCKER network prune </dev/null; echo; $DOCKER container prune -f --filter label=nosuch=$N
