N=${N:-df$$}
$DOCKER volume create --label $N $N-v >/dev/null
id=$($DOCKER volume create --label $N)
$DOCKER volume prune -f --filter label=$N | head -2 | sed "s/$id/ANONYMOUS/"; $DOCKER volume ls -q -f label=$N
$DOCKER volume prune -fa --filter label=$N | sed "s|^Total.*|TOTAL|"; $DOCKER volume ls -q -f label=$N
$DOCKER volume prune -f --filter bogus=x; echo $?; $DOCKER volume prune -f --filter all=x --filter label=$N; echo $?; $DOCKER volume prune -f --filter until=1h; echo $?
