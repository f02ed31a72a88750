N=${N:-df$$}
$DOCKER run --name $N-l --log-driver syslog busybox true; echo $?; $DOCKER rm -f $N-l
$DOCKER run --name $N-l --log-driver journald busybox true; echo $?; $DOCKER rm -f $N-l
