N=${N:-df$$}
exec 2>&1
make() { mkdir -p /tmp/$N && echo $1 > /tmp/$N/$1 && tar -C /tmp/$N -c $1 | $DOCKER import --change "LABEL $N=$1" - ${2:+$2} >/dev/null; rm -r /tmp/$N; }
make one; make two; make three $N:tag
$DOCKER image prune -f --filter label=$N --filter until=1h
$DOCKER image prune -f --filter label=$N=one | sed 's/space: .*/space/'
$DOCKER image prune -f --filter label=$N | sed 's/space: .*/space/'
$DOCKER images --filter label=$N --format '{{.Repository}}:{{.Tag}}'
$DOCKER image prune -af --filter 'label!='$N --filter label=$N
$DOCKER create --name $N-c $N:tag true >/dev/null
$DOCKER image prune -af --filter label=$N
$DOCKER rm $N-c
$DOCKER image prune -af --filter label=$N | sed 's/space: .*/space/'
$DOCKER images -a --filter label=$N -q
