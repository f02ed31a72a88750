N=${N:-df$$}
exec 2>&1
$DOCKER volume create --label $N >/dev/null
$DOCKER volume create --label $N $N-named >/dev/null
$DOCKER volume ls --filter label=$N -q | wc -l
$DOCKER volume prune -f --filter label=$N | sed 's/space: .*/space/'
$DOCKER volume ls --filter label=$N -q
$DOCKER volume rm $N-named
