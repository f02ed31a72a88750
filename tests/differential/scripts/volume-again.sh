N=${N:-df$$}
$DOCKER volume create --label k=v $N-v; $DOCKER volume create --label k=w $N-v
$DOCKER volume create -o type=tmpfs -o device=tmpfs $N-v
$DOCKER volume inspect -f '{{json .Labels}} {{json .Options}}' $N-v
$DOCKER volume rm $N-v $N-v; echo $?
