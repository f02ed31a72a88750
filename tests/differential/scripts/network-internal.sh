N=${N:-df$$}
exec 2>&1
$DOCKER network create --internal --subnet 192.168.239.0/24 $N-a >/dev/null
$DOCKER network inspect -f '{{.Internal}} {{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}' $N-a
$DOCKER run -d --name $N-1 --net $N-a -p 127.0.0.1::80 busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-2 --net $N-a busybox sleep 100 >/dev/null
$DOCKER exec $N-1 ip route
$DOCKER exec $N-1 ping -c 1 -w 3 $N-2 | grep received
$DOCKER exec $N-1 ping -c 1 -w 1 192.0.2.1 2>&1 | grep -o 'Network is unreachable'
$DOCKER exec $N-1 nslookup $N-2 | grep 192
$DOCKER port $N-1; echo $?
$DOCKER inspect -f '{{json .NetworkSettings.Ports}} {{range .NetworkSettings.Networks}}[{{.Gateway}}]{{end}}' $N-1
$DOCKER rm -f $N-1 $N-2
$DOCKER network rm $N-a
