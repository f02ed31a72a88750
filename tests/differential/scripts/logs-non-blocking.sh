N=${N:-df$$}
for d in json-file local; do $DOCKER run --name $N-l --log-driver $d --log-opt mode=non-blocking --log-opt max-buffer-size=4m busybox seq 1 100 >/dev/null; $DOCKER logs $N-l | tail -n 2; $DOCKER inspect -f '{{json .HostConfig.LogConfig}}' $N-l; $DOCKER rm $N-l; done
