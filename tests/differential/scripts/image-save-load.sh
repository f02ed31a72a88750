N=${N:-df$$}
f=$(mktemp); $DOCKER tag busybox $N:s; $DOCKER save -o $f $N:s; $DOCKER rmi $N:s; $DOCKER load -i $f; $DOCKER load -q < $f; $DOCKER rmi $N:s; rm $f
