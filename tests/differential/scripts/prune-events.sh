N=${N:-df$$}
exec 2>&1
since=$(date +%s)
$DOCKER create --name $N-a --label $N busybox true >/dev/null
$DOCKER network create --label $N $N-net >/dev/null
$DOCKER volume create --label $N $N-v >/dev/null
$DOCKER container prune -f --filter label=$N >/dev/null
$DOCKER network prune -f --filter label=$N >/dev/null
$DOCKER volume prune -af --filter label=$N >/dev/null
$DOCKER events --since $since --until $(($(date +%s) + 1)) --format '{{.Type}} {{.Action}} {{index .Actor.Attributes "name"}}' | grep $N
$DOCKER events --since $since --until $(date +%s) --filter event=destroy --format '{{.Type}} {{.Actor.ID}}' | grep -c "$N-v"
