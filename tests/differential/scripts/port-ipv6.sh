N=${N:-df$$}
exec 2>&1
p=$((20000 + $$ % 20000))
mask() { sed "s/\b$p\b/P0/g; s/\b$((p + 1))\b/P1/g"; }
$DOCKER network create --ipv6 --subnet 192.168.224.0/24 --subnet fd17:1:2:8::/64 $N-a >/dev/null
$DOCKER run -d --name $N-1 --net $N-a -p "[::1]:$p:80" -p $((p + 1)):81 busybox sleep 100 >/dev/null
$DOCKER port $N-1 | mask
$DOCKER port $N-1 80 | mask
$DOCKER inspect -f '{{json .HostConfig.PortBindings}} {{json .NetworkSettings.Ports}}' $N-1 | mask
$DOCKER ps --filter name=$N-1 --format '{{.Ports}}' | mask
$DOCKER rm -f $N-1
for text in '[::1:80:80' '[foo]:80:80' 'fe80::1%eth0:80:80' '[::1]:80'; do $DOCKER run --rm -p "$text" busybox true; echo $?; done
$DOCKER network create --ipv6 -o com.docker.network.bridge.gateway_mode_ipv6=routed -o com.docker.network.bridge.gateway_mode_ipv4=routed --subnet 192.168.223.0/24 --subnet fd17:1:2:9::/64 $N-r >/dev/null
$DOCKER run -d --name $N-1 --net $N-r -p $p:80 busybox sleep 100 >/dev/null
$DOCKER port $N-1 | mask
$DOCKER inspect -f '{{json .NetworkSettings.Ports}}' $N-1 | mask
$DOCKER rm -f $N-1
$DOCKER network rm $N-a $N-r
