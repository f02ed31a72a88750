N=${N:-df$$}
exec 2>&1
$DOCKER network create --label $N $N-a >/dev/null
$DOCKER network create --label $N $N-b >/dev/null
$DOCKER network create --label $N $N-c >/dev/null
$DOCKER run -d --name $N-1 --net $N-a busybox sleep 100 >/dev/null
$DOCKER create --name $N-2 --net $N-b busybox true >/dev/null
$DOCKER network prune -f --filter label=$N --filter until=1h
$DOCKER network prune -f --filter label=$N-none
echo n | $DOCKER network prune --filter label=$N; echo $?
$DOCKER network prune -f --filter label=$N | sort
$DOCKER network ls --filter label=$N --format '{{.Name}}'
$DOCKER network prune -f --filter nosuch=1; echo $?
$DOCKER network prune -f --filter until=soon; echo $?
$DOCKER rm -f $N-1 $N-2
$DOCKER network prune -f --filter label=$N >/dev/null
$DOCKER network ls -q --filter label=$N
