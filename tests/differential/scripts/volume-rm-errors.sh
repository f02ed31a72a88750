N=${N:-df$$}
$DOCKER volume rm $N-none; echo $?; $DOCKER volume rm -f $N-none; echo $?
$DOCKER create --name $N-u -v $N-v:/d busybox >/dev/null; $DOCKER volume rm $N-v; echo $?; $DOCKER volume rm -f $N-v; echo $?
$DOCKER start $N-u >/dev/null; $DOCKER wait $N-u; $DOCKER volume rm $N-v; echo $?
$DOCKER rm -v $N-u; $DOCKER volume rm $N-v $N-none; echo $?
