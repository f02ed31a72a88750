N=${N:-df$$}
exec 2>&1
$DOCKER create --name $N-a --label $N busybox true >/dev/null
$DOCKER create --name $N-b --label $N --label $N-keep=1 busybox true >/dev/null
$DOCKER run -d --name $N-c --label $N busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-d --label $N busybox sleep 100 >/dev/null
$DOCKER pause $N-d >/dev/null
$DOCKER container prune -f --filter label=$N --filter until=1h
$DOCKER container prune -f --filter label=$N --filter 'label!='$N-keep | sed 's/space: .*/space/'
$DOCKER ps -a --filter label=$N --format '{{.Names}} {{.State}}' | sort
$DOCKER container prune -f --filter label=$N=other
$DOCKER container prune -f --filter label=$N --filter label=$N-keep=1 | sed 's/space: .*/space/'
$DOCKER ps -a --filter label=$N --format '{{.Names}}' | sort
$DOCKER rm -f $N-c $N-d
