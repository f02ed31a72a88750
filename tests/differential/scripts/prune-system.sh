N=${N:-df$$}
exec 2>&1
$DOCKER create --name $N-a --label $N busybox true >/dev/null
$DOCKER network create --label $N $N-net >/dev/null
$DOCKER volume create --label $N >/dev/null
$DOCKER volume create --label $N $N-named >/dev/null
tar -C /etc -c hostname | $DOCKER import --change "LABEL $N=1" - >/dev/null
$DOCKER system prune -f --filter label=$N | grep -v DEPRECATED | sed 's/space: .*/space/; /buildx/d; /Install/d; /docs.docker/d'
$DOCKER volume ls --filter label=$N -q | wc -l
$DOCKER system prune -af --volumes --filter label=$N | sed 's/space: .*/space/'
$DOCKER volume ls --filter label=$N -q
$DOCKER volume rm $N-named
