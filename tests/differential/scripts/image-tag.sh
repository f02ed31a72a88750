N=${N:-df$$}
$DOCKER tag busybox $N:one; $DOCKER images $N --format "{{.Repository}}:{{.Tag}}"; $DOCKER rmi $N:one; $DOCKER tag nosuch-$N x; echo $?; $DOCKER tag busybox UPPER; echo $?
