N=${N:-df$$}
exec 2>&1
$DOCKER network create --config-only --subnet 192.168.227.0/24 --gateway 192.168.227.9 -o com.docker.network.driver.mtu=1390 --label base=1 $N-base; echo $?
$DOCKER network inspect -f '{{.Driver}} {{.Scope}} {{.ConfigOnly}} {{json .ConfigFrom}} {{json .IPAM}} {{json .Options}} {{json .Labels}}' $N-base
$DOCKER network create --config-from $N-base $N-a; echo $?
$DOCKER network inspect -f '{{.Driver}} {{.Scope}} {{.ConfigOnly}} {{json .ConfigFrom}} {{json .IPAM}} {{json .Options}} {{json .Labels}}' $N-a
$DOCKER run --rm --net $N-a busybox sh -c 'ip route | grep default; cat /sys/class/net/eth0/mtu'
$DOCKER run --rm --net $N-base busybox true; echo $?
$DOCKER network rm $N-base; echo $?
$DOCKER network create --config-from nosuch-$N $N-b; echo $?
$DOCKER network create --config-from $N-a $N-b; echo $?
$DOCKER network create --config-only --config-from $N-base $N-b; echo $?
$DOCKER network create --config-from $N-base --subnet 192.168.226.0/24 $N-b; echo $?
$DOCKER network create --config-from $N-base -o a=b $N-b; echo $?
$DOCKER network create --config-only --internal $N-b; echo $?
$DOCKER network create --config-only --attachable $N-b; echo $?
$DOCKER network ls --filter name=$N --format '{{.Name}} {{.Driver}} {{.Scope}}'
$DOCKER network rm $N-a; $DOCKER network rm $N-base
$DOCKER network rm $N-b 2>/dev/null
