N=${N:-df$$}
$DOCKER create --name $N-1 busybox >/dev/null; $DOCKER rename $N-1 $N-2; $DOCKER inspect -f "{{.Name}}" $N-2; $DOCKER rename nosuch-$N x; $DOCKER rm $N-2
