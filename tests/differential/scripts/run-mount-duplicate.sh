N=${N:-df$$}
$DOCKER run --rm -v $N-a:/d -v $N-b:/d busybox true; echo $?
$DOCKER run --rm -v /tmp:/d --mount type=tmpfs,dst=/d busybox true; echo $?
$DOCKER run --rm --tmpfs /d -v $N-a:/d/ busybox true; echo $?
$DOCKER volume rm -f $N-a $N-b
