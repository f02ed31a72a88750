N=${N:-df$$}
exec 2>&1
$DOCKER volume create --label $N -o type=tmpfs -o device=tmpfs $N-ram
$DOCKER volume create --label $N -o type=none -o o=bind -o device=/tmp $N-bind
$DOCKER volume create --label $N $N-plain
$DOCKER volume prune -af --filter label=$N | sed 's/space: .*/space/'
$DOCKER volume ls -q --filter label=$N | sort
$DOCKER system df -v --format '{{range .Volumes}}{{println .Name}}{{end}}' | grep -c $N
$DOCKER volume rm $N-ram $N-bind
