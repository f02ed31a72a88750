N=${N:-df$$}
exec 2>&1
$DOCKER network create --subnet 192.168.225.0/24 $N-a >/dev/null
show() { $DOCKER inspect -f '{{json .NetworkSettings}}' $1 | sed 's/"SandboxKey":"[^"]*"/"SandboxKey":"KEY"/g; s/"HostPort":"[0-9]*"/"HostPort":"PORT"/g'; }
$DOCKER create --name $N-1 --net $N-a --network-alias al --expose 81 -p 127.0.0.1::80 busybox sleep 100 >/dev/null; show $N-1
$DOCKER start $N-1 >/dev/null; show $N-1
$DOCKER stop -t 0 $N-1 >/dev/null; show $N-1
$DOCKER rm $N-1
$DOCKER run -d --name $N-1 busybox sleep 100 >/dev/null; show $N-1 | sed 's/"IPPrefixLen":[0-9]*/"IPPrefixLen":BITS/g'; $DOCKER rm -f $N-1
$DOCKER run -d --name $N-1 --net host busybox sleep 100 >/dev/null; show $N-1; $DOCKER rm -f $N-1
$DOCKER run -d --name $N-1 --net none busybox sleep 100 >/dev/null; show $N-1
$DOCKER run -d --name $N-2 --net container:$N-1 busybox sleep 100 >/dev/null; show $N-2; $DOCKER rm -f $N-2 $N-1
$DOCKER network rm $N-a
