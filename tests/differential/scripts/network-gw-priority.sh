N=${N:-df$$}
exec 2>&1
$DOCKER network create --subnet 192.168.251.0/24 $N-a >/dev/null
$DOCKER network create --subnet 192.168.252.0/24 $N-b >/dev/null
show() { $DOCKER exec $N-1 ip route | grep default | cut -d' ' -f1-3; $DOCKER inspect -f '{{range $n, $e := .NetworkSettings.Networks}}{{$n}}={{$e.GwPriority}} {{end}}' $N-1; }
$DOCKER run -d --name $N-1 --net $N-a --net $N-b busybox sleep 100 >/dev/null; show; $DOCKER rm -f $N-1
$DOCKER run -d --name $N-1 --network $N-a --network name=$N-b,gw-priority=1 busybox sleep 100 >/dev/null; show
$DOCKER network disconnect $N-b $N-1; show
$DOCKER network connect --gw-priority -5 $N-b $N-1; show
$DOCKER network disconnect $N-b $N-1
$DOCKER network connect --gw-priority 5 $N-b $N-1; show
$DOCKER restart -t 0 $N-1 >/dev/null; show
$DOCKER network disconnect $N-b $N-1; $DOCKER network connect bridge $N-1; show
$DOCKER rm -f $N-1
$DOCKER network rm $N-a $N-b
