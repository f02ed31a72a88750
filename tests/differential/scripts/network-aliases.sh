N=${N:-df$$}
exec 2>&1
$DOCKER network create --subnet 192.168.247.0/24 $N-a >/dev/null
$DOCKER run -d --name $N-1 --net $N-a --network-alias web --network-alias $N-x --hostname h1 busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-2 --net $N-a --network-alias web busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-3 --net $N-a busybox sleep 100 >/dev/null
for name in 1 2 3; do $DOCKER inspect -f '{{range .NetworkSettings.Networks}}{{json .Aliases}} {{json .DNSNames}}{{end}}' $N-$name; done
$DOCKER exec $N-3 nslookup -type=a web | grep ^Address.*192 | sort
$DOCKER exec $N-3 nslookup -type=a $N-x | grep ^Address.*192
$DOCKER exec $N-3 nslookup -type=a h1 2>&1 | grep ^Address.*192
$DOCKER stop -t 0 $N-1 >/dev/null
$DOCKER exec $N-3 nslookup -type=a web | grep ^Address.*192
$DOCKER run --rm --network-alias x busybox true; echo $?
$DOCKER run --rm --net host --network-alias x busybox true; echo $?
$DOCKER rm -f $N-1 $N-2 $N-3
$DOCKER network rm $N-a
