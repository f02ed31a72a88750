N=${N:-df$$}
exec 2>&1
show='{{.Name}} {{.Driver}} {{.Scope}} v4={{.EnableIPv4}} v6={{.EnableIPv6}} internal={{.Internal}} attachable={{.Attachable}} ingress={{.Ingress}} {{json .Options}} {{json .Labels}} {{.IPAM.Driver}} {{json .IPAM.Options}} {{len .IPAM.Config}}'
$DOCKER network create $N-a
$DOCKER network inspect -f "$show" $N-a
$DOCKER network create -d bridge --label a=1 --label b --attachable -o com.docker.network.driver.mtu=1400 -o com.docker.network.bridge.enable_icc=false $N-b
$DOCKER network inspect -f "$show" $N-b
$DOCKER network create --ipam-driver default --ipam-opt x=y -o com.docker.network.bridge.name=$N --subnet 192.168.230.0/24 $N-c
$DOCKER network inspect -f "$show" $N-c
$DOCKER run --rm --net $N-b busybox cat /sys/class/net/eth0/mtu
$DOCKER run --rm --net $N-c busybox sh -c 'ip route | sort'
$DOCKER network create -o com.docker.network.container_iface_prefix=net $N-d
$DOCKER run --rm --net $N-d busybox ls /sys/class/net
$DOCKER network rm $N-a $N-b $N-c $N-d
