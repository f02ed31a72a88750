N=${N:-df$$}
exec 2>&1
$DOCKER network create --subnet 192.168.253.0/28 $N-1 >/dev/null
for i in 1 2; do $DOCKER network create --subnet 192.168.229.$((i * 16))/28 $N-s$i >/dev/null; done
$DOCKER run -d --name $N-w --network $N-s2 --network name=$N-s1,alias=x --network name=$N-1,ip=192.168.253.5 busybox sleep 100 >/dev/null; echo $?
$DOCKER inspect -f '{{.HostConfig.NetworkMode}} {{range $n, $e := .NetworkSettings.Networks}}{{$n}}={{$e.IPAddress}}{{json $e.Aliases}} {{end}}' $N-w
$DOCKER exec $N-w sh -c 'ip -4 -o addr show scope global | tr -s " " | cut -d" " -f4 | sort; ip route | sed "s/dev eth[0-9]/dev ethX/" | sort'
$DOCKER exec $N-w cat /etc/hosts | tr '\t' ' ' | sort
$DOCKER ps --filter name=$N-w --format '{{.Networks}}' | tr , '\n' | sort
$DOCKER ps --filter network=$N-s1 --format '{{.Names}}'
$DOCKER run --rm --network $N-s1 --network bridge busybox true; echo $?
$DOCKER run --rm --network $N-s1 --network host busybox true; echo $?
$DOCKER run --rm --network $N-s1 --network $N-s1 busybox true; echo $?
$DOCKER run --rm --network $N-s1 --network nosuch-$N busybox true; echo $?
$DOCKER run --rm --network host --network none busybox true; echo $?
$DOCKER rm -f $N-w
$DOCKER network rm $N-1 $N-s1 $N-s2
