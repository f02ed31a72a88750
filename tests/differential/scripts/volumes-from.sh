N=${N:-df$$}
$DOCKER create --name $N-a -v /data busybox >/dev/null; $DOCKER run --rm --volumes-from $N-a busybox sh -c "mount | grep -c \" /data \""; $DOCKER rm -v $N-a
