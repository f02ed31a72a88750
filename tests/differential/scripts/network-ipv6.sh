N=${N:-df$$}
exec 2>&1
$DOCKER network create --ipv6 --subnet 192.168.237.0/24 --subnet fd17:1:2:3::/64 $N-a >/dev/null
$DOCKER network inspect -f '{{.EnableIPv4}} {{.EnableIPv6}} {{range .IPAM.Config}}{{.Subnet}} {{.Gateway}} {{end}}' $N-a
$DOCKER run -d --name $N-1 --net $N-a busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-2 --net $N-a --ip6 fd17:1:2:3::99 busybox sleep 100 >/dev/null
for name in 1 2; do $DOCKER inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}/{{.GlobalIPv6PrefixLen}} {{.IPv6Gateway}}{{end}}' $N-$name; done
$DOCKER exec $N-1 sh -c 'ip -6 -o addr show eth0 scope global | tr -s " " | cut -d" " -f4; ip -6 route | grep default | tr -s " " | cut -d" " -f1-5'
$DOCKER exec $N-1 ping -6 -c 1 -w 3 fd17:1:2:3::99 | grep received
$DOCKER exec $N-1 ping -6 -c 1 -w 3 $N-2 | grep received
$DOCKER exec $N-1 ping -6 -c 1 -w 3 fd17:1:2:3::1 | grep received
$DOCKER network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{.IPv6Address}}{{println}}{{end}}' $N-a | sort
$DOCKER rm -f $N-1 $N-2
$DOCKER network rm $N-a
$DOCKER network create --ipv6 $N-a >/dev/null
$DOCKER network inspect -f '{{.EnableIPv4}} {{.EnableIPv6}} {{len .IPAM.Config}}' $N-a
$DOCKER network inspect -f '{{range .IPAM.Config}}{{println .Subnet}}{{end}}' $N-a | sed -n 's/^fd.*\//ULA\//p'
$DOCKER network rm $N-a
