N=${N:-df$$}
exec 2>&1
$DOCKER volume create --label $N $N-a
$DOCKER volume create --label $N --label $N-keep $N-b
$DOCKER volume create --label $N $N-used
$DOCKER create --name $N-c -v $N-used:/v busybox true >/dev/null
$DOCKER volume prune -f --filter label=$N
$DOCKER volume ls -q --filter label=$N
$DOCKER volume prune -af --filter label=$N --filter 'label!='$N-keep | sed 's/space: .*/space/'
$DOCKER volume ls -q --filter label=$N
$DOCKER volume prune -f --filter all=1 --filter label=$N | sed 's/space: .*/space/'
$DOCKER volume ls -q --filter label=$N
$DOCKER rm $N-c
$DOCKER volume prune -af --filter label=$N=x
$DOCKER volume prune -af --filter label=$N | sed 's/space: .*/space/'
