N=${N:-df$$}
$DOCKER run --name $N-l busybox sh -c 'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done' >/dev/null
T=$($DOCKER logs -t $N-l | sed -n 's/ 3$//p'); $DOCKER logs --since $T $N-l; echo; $DOCKER logs --until $T $N-l; echo; $DOCKER logs --since $T --until $T $N-l; echo; $DOCKER logs --since $T --tail 1 $N-l; $DOCKER logs --tail 4 --since $T $N-l; $DOCKER logs --tail 2 --until $T $N-l; $DOCKER rm $N-l
