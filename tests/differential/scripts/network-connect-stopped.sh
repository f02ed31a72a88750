N=${N:-df$$}
exec 2>&1
$DOCKER network create --subnet 192.168.243.0/24 $N-a >/dev/null
$DOCKER network create --subnet 192.168.244.0/24 $N-b >/dev/null
$DOCKER create --name $N-1 --net $N-a busybox sleep 100 >/dev/null
show() { $DOCKER inspect -f '{{range $n, $e := .NetworkSettings.Networks}}{{$n}}=[{{$e.IPAddress}}]{{json $e.IPAMConfig}}{{json $e.Aliases}} {{end}}' $N-1; }
show
$DOCKER network connect --ip 192.168.244.44 --alias al $N-b $N-1; echo $?
show
$DOCKER network inspect -f '{{len .Containers}}' $N-b
$DOCKER start $N-1; show
$DOCKER exec $N-1 sh -c 'ip -4 -o addr show scope global | tr -s " " | cut -d" " -f4 | sort'
$DOCKER stop -t 0 $N-1; show
$DOCKER network disconnect $N-a $N-1; echo $?
show
$DOCKER start $N-1; show
$DOCKER exec $N-1 ip route | sort
$DOCKER stop -t 0 $N-1
$DOCKER network disconnect $N-b $N-1; echo $?
show
$DOCKER network disconnect $N-b $N-1; echo $?
$DOCKER start $N-1; $DOCKER exec $N-1 ls /sys/class/net
$DOCKER rm -f $N-1
$DOCKER network rm $N-a $N-b
