N=${N:-df$$}
$DOCKER volume create -o type=tmpfs -o device=tmpfs -o o=size=3m,uid=1000,nosuid,noexec $N-v
$DOCKER volume inspect -f '{{.Driver}} {{json .Options}} {{.Scope}}' $N-v
$DOCKER run --rm -v $N-v:/d busybox sh -c 'grep " /d " /proc/mounts; stat -c "%u %a" /d; dd if=/dev/zero of=/d/f bs=1M count=5 2>&1 | head -1'
$DOCKER run --rm -v $N-v:/d busybox ls /d
$DOCKER run --rm -v $N-v:/d:ro busybox touch /d/x; echo $?
$DOCKER volume rm $N-v
