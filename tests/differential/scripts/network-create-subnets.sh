N=${N:-df$$}
exec 2>&1
show='{{range .IPAM.Config}}{{.Subnet}} {{.IPRange}} {{.Gateway}} {{json .AuxAddress}}{{println}}{{end}}'
$DOCKER network create --subnet 192.168.231.0/24 $N-a >/dev/null
$DOCKER network inspect -f "$show" $N-a
$DOCKER network create --subnet 192.168.232.0/24 --ip-range 192.168.232.128/25 --gateway 192.168.232.254 --aux-address nas=192.168.232.128 --aux-address tv=192.168.232.130 $N-b >/dev/null
$DOCKER network inspect -f "$show" $N-b
$DOCKER network create --subnet 192.168.233.77/24 $N-c; echo $?
$DOCKER run --rm --net $N-a busybox sh -c 'ip -4 -o addr show eth0 | tr -s " " | cut -d" " -f4; ip route | grep default'
for name in 1 2 3; do $DOCKER run -d --name $N-$name --net $N-b busybox sleep 100 >/dev/null; $DOCKER inspect -f "{{range .NetworkSettings.Networks}}{{.IPAddress}}/{{.IPPrefixLen}} {{.Gateway}}{{end}}" $N-$name; done
$DOCKER rm -f $N-1 $N-2 $N-3
$DOCKER network create --subnet 192.168.236.0/30 $N-d >/dev/null
$DOCKER run -d --name $N-1 --net $N-d busybox sleep 100 >/dev/null
$DOCKER run --name $N-2 --net $N-d busybox true; echo $?
$DOCKER rm -f $N-1 $N-2
$DOCKER network rm $N-a $N-b $N-d
