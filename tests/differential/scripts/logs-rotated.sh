N=${N:-df$$}
$DOCKER run --name $N-l --log-opt max-size=20k --log-opt max-file=3 busybox sh -c 'for i in $(seq 1 60); do seq $((i * 50 - 49)) $((i * 50)); sleep 0.01; done' >/dev/null; $DOCKER logs --tail 3 $N-l; $DOCKER logs $N-l | tail -n 2; $DOCKER rm $N-l
$DOCKER run --name $N-l --log-opt max-size=20k --log-opt max-file=3 --log-opt compress=true busybox sh -c 'for i in $(seq 1 60); do seq $((i * 50 - 49)) $((i * 50)); sleep 0.01; done' >/dev/null; $DOCKER logs --tail 3 $N-l; $DOCKER rm $N-l
