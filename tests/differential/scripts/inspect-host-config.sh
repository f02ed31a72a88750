N=${N:-df$$}
$DOCKER create --name $N-i -m 32m --cpus 0.5 --cap-add NET_ADMIN --restart on-failure:3 --tmpfs /t --log-opt max-size=1m busybox >/dev/null; $DOCKER inspect -f "{{json .HostConfig}}" $N-i; $DOCKER rm $N-i
