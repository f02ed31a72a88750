# A child keeps its parent: removal by name and by id, list, history, and what goes with the child.
N=${N:-df$$}
$DOCKER run --name $N busybox sh -c 'echo 1 > /1'; a=$($DOCKER commit $N $N:one); $DOCKER rm $N >/dev/null
$DOCKER run --name $N $N:one sh -c 'echo 2 > /2; rm /1'; b=$($DOCKER commit $N $N:two); $DOCKER rm $N >/dev/null
$DOCKER history --format '{{.CreatedBy}}|{{.Size}}' $N:two; $DOCKER rmi $a; $DOCKER rmi -f $a; $DOCKER rmi $N:one
$DOCKER images -q --no-trunc | grep -c $a; $DOCKER images -aq --no-trunc | grep -c $a; $DOCKER run --rm $N:two ls / | grep -c '^[12]$'; $DOCKER rmi $N:two; $DOCKER image inspect $a 2>&1 | sed "s/$a/A/"
