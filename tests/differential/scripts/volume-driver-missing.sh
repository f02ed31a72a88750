N=${N:-df$$}
$DOCKER volume create -d nosuchdriver $N-v; echo $?
$DOCKER volume create -d local $N-v; $DOCKER volume rm $N-v
