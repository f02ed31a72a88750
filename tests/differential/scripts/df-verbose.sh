N=${N:-df$$}
exec 2>&1
$DOCKER volume create $N-v >/dev/null
$DOCKER run -d --name $N-c -v $N-v:/v busybox sleep 100 >/dev/null
$DOCKER create --name $N-d -v $N-v:/v --label a=b busybox echo hello >/dev/null
$DOCKER system df -v --format '{{range .Volumes}}{{println .Name .Links .Driver}}{{end}}' | grep $N
$DOCKER system df -v --format '{{range .Containers}}{{println .Names .State .Image .Command .LocalVolumes .Mounts}}{{end}}' | grep $N | sort
$DOCKER system df -v | grep -E '^[A-Z].*(:|SIZE|NAMES)' | sed 's/: .*/:/'
$DOCKER rm -f $N-c $N-d >/dev/null
$DOCKER system df -v --format '{{range .Volumes}}{{println .Name .Links}}{{end}}' | grep $N
$DOCKER volume rm $N-v
$DOCKER system df -v --format '{{range .Volumes}}{{println .Name .Links}}{{end}}' | grep -c $N
