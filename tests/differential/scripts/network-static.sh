N=${N:-df$$}
exec 2>&1
$DOCKER network create --ipv6 --subnet 192.168.249.0/24 --subnet fd17:1:2:6::/64 $N-a >/dev/null
show() { $DOCKER inspect -f '{{range .NetworkSettings.Networks}}{{json .IPAMConfig}} {{.IPAddress}} {{.GlobalIPv6Address}} {{.MacAddress}}{{end}}' $1; }
$DOCKER run -d --name $N-1 --net $N-a --ip 192.168.249.50 --ip6 fd17:1:2:6::50 --mac-address 02:42:c0:00:00:50 busybox sleep 100 >/dev/null
show $N-1
$DOCKER exec $N-1 cat /sys/class/net/eth0/address
$DOCKER run --name $N-2 --net $N-a --ip 192.168.249.50 busybox true; echo $?; $DOCKER rm $N-2
$DOCKER run --name $N-2 --net $N-a --ip 192.168.200.50 busybox true; echo $?; $DOCKER rm $N-2
$DOCKER run --name $N-2 --net $N-a --ip 192.168.249.1 busybox true; echo $?; $DOCKER rm $N-2
$DOCKER run --name $N-2 --net $N-a --ip6 fd17:1:2:6::50 busybox true; echo $?; $DOCKER rm $N-2
$DOCKER run --name $N-2 --net $N-a --ip foo busybox true; echo $?
$DOCKER run --name $N-2 --ip 172.17.0.99 busybox true; echo $?; $DOCKER rm $N-2
$DOCKER run --name $N-2 --mac-address foo busybox true; echo $?
$DOCKER run -d --name $N-2 --net $N-a --link-local-ip 169.254.7.8 busybox sleep 100 >/dev/null; show $N-2
$DOCKER exec $N-2 ip -4 -o addr show eth0 | tr -s ' ' | cut -d' ' -f4
$DOCKER restart -t 0 $N-1 >/dev/null; show $N-1
$DOCKER rm -f $N-1 $N-2
$DOCKER network rm $N-a
