N=${N:-df$$}
exec 2>&1
$DOCKER network create --ipv4=false --ipv6 --subnet fd17:1:2:4::/64 $N-a >/dev/null
$DOCKER network inspect -f '{{.EnableIPv4}} {{.EnableIPv6}} {{range .IPAM.Config}}{{.Subnet}} {{.Gateway}} {{end}}' $N-a
$DOCKER run -d --name $N-1 --net $N-a busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-2 --net $N-a busybox sleep 100 >/dev/null
$DOCKER inspect -f '{{range .NetworkSettings.Networks}}[{{.IPAddress}}] {{.IPPrefixLen}} [{{.Gateway}}] {{.GlobalIPv6Address}} {{.IPv6Gateway}}{{end}}' $N-1
$DOCKER exec $N-1 sh -c 'ip -4 -o addr show eth0; ip -4 route; ip -6 -o addr show eth0 scope global | tr -s " " | cut -d" " -f4'
$DOCKER exec $N-1 ping -c 1 -w 3 $N-2 | grep received
$DOCKER exec $N-1 nslookup -type=a $N-2 | grep -v '^$' | grep -c Address
$DOCKER exec $N-1 nslookup -type=aaaa $N-2 | grep fd17
$DOCKER run --rm --net $N-a --ip 192.168.238.5 busybox true; echo $?
$DOCKER rm -f $N-1 $N-2
$DOCKER network rm $N-a
