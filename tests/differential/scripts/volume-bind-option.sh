N=${N:-df$$}
d=$(mktemp -d); echo there > $d/f
$DOCKER volume create -o type=none -o o=bind -o device=$d $N-v
$DOCKER run --rm -v $N-v:/d busybox sh -c 'cat /d/f; echo more > /d/g'; cat $d/g
$DOCKER volume rm $N-v; cat $d/f
$DOCKER volume create -o type=none -o o=bind,ro -o device=$d $N-v
$DOCKER run --rm -v $N-v:/d busybox sh -c 'cat /d/f; touch /d/x 2>&1'; echo $?
$DOCKER volume rm $N-v; rm -r $d
