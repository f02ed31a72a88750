N=${N:-df$$}
exec 2>&1
$DOCKER run -d --name $N-db -e SECRET=1 --expose 5432 busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-web --link $N-db:db busybox sleep 100 >/dev/null
$DOCKER inspect -f '{{json .HostConfig.Links}}' $N-web
$DOCKER exec $N-web sh -c 'grep -w db /etc/hosts' | tr '\t' ' '
$DOCKER exec $N-web env | grep ^DB_ | sort
$DOCKER exec $N-web ping -c 1 -w 3 db | grep received
$DOCKER run --rm --link nosuch-$N:x busybox true; echo $?
$DOCKER run --rm --link $N-db:x:y busybox true; echo $?
$DOCKER run --rm --net host --link $N-db:x busybox true; echo $?
$DOCKER rm -f $N-web $N-db
$DOCKER network create --subnet 192.168.250.0/24 $N-a >/dev/null
$DOCKER run -d --name $N-db --net $N-a busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-web --net $N-a --link $N-db:db busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-other --net $N-a busybox sleep 100 >/dev/null
$DOCKER inspect -f '{{json .HostConfig.Links}} {{range .NetworkSettings.Networks}}{{json .Links}}{{end}}' $N-web
$DOCKER exec $N-web ping -c 1 -w 3 db | grep received
$DOCKER exec $N-web nslookup -type=a db | grep ^Address.*192
$DOCKER rm -f $N-web $N-db $N-other
$DOCKER network rm $N-a
