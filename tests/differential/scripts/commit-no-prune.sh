# The same child, removed without its parents.
N=${N:-df$$}
$DOCKER run --name $N busybox sh -c 'echo 1 > /1'; a=$($DOCKER commit $N $N:one); $DOCKER rm $N >/dev/null; $DOCKER run --name $N $N:one touch /2; $DOCKER commit $N $N:two >/dev/null; $DOCKER rm $N >/dev/null
$DOCKER rmi $N:one; $DOCKER rmi --no-prune $N:two; $DOCKER images -q --no-trunc | grep -c $a; $DOCKER rmi $a
