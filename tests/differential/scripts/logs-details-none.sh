N=${N:-df$$}
for driver in json-file local; do $DOCKER run --name $N-l --log-driver $driver busybox sh -c 'echo a; printf b' >/dev/null; $DOCKER logs --details $N-l; echo; $DOCKER rm $N-l; done
