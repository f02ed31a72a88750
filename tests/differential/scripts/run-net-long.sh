N=${N:-df$$}
exec 2>&1
$DOCKER network create --ipv6 --subnet 192.168.228.0/24 --subnet fd17:1:2:7::/64 $N-a >/dev/null
$DOCKER run -d --name $N-1 --network name=$N-a,alias=one,alias=uno,ip=192.168.228.9,ip6=fd17:1:2:7::9,mac-address=02:42:c0:a8:e4:99,link-local-ip=169.254.3.4,gw-priority=7 busybox sleep 100 >/dev/null; echo $?
$DOCKER inspect -f '{{.HostConfig.NetworkMode}} {{range $n, $e := .NetworkSettings.Networks}}{{$n}} {{json $e.IPAMConfig}} {{json $e.Aliases}} {{$e.MacAddress}} {{json $e.DriverOpts}} {{$e.GwPriority}}{{end}}' $N-1
$DOCKER exec $N-1 sh -c 'cat /sys/class/net/eth0/address; ip -4 -o addr show eth0 | tr -s " " | cut -d" " -f4'
$DOCKER run --rm --network name=$N-a,driver-opt=com.docker.network.endpoint.ifname=foo0 busybox ls /sys/class/net
$DOCKER run --rm --network name=$N-a,driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.eth9.log_martians=1 busybox true; echo $?
for text in foo=b,name=$N-a name=$N-a,ip alias=b name=,alias=b name=$N-a,gw-priority=x name=$N-a,driver-opt=a name=$N-a,mac-address=foo name=$N-a,ip=foo name=bridge,alias=x name=host,ip=192.168.228.9; do $DOCKER run --rm --network $text busybox true; echo $?; done
$DOCKER rm -f $N-1
$DOCKER network rm $N-a
