N=${N:-df$$}
exec 2>&1
$DOCKER network create --subnet 192.168.241.0/24 $N-a >/dev/null
$DOCKER network create --subnet 192.168.242.0/24 $N-b >/dev/null
$DOCKER run -d --name $N-1 --net $N-a busybox sleep 100 >/dev/null
show() { $DOCKER inspect -f '{{.HostConfig.NetworkMode}} {{range $n, $e := .NetworkSettings.Networks}}{{$n}}={{$e.IPAddress}}/{{$e.Gateway}}/{{json $e.Aliases}} {{end}}' $N-1; $DOCKER exec $N-1 sh -c 'ip -4 -o addr | tr -s " " | cut -d" " -f2,4; ip route | sort'; }
show
$DOCKER network connect $N-b $N-1; echo $?
show
$DOCKER network connect $N-b $N-1; echo $?
$DOCKER network disconnect $N-a $N-1; echo $?
show
$DOCKER network connect --ip 192.168.241.77 --alias x --alias y,z $N-a $N-1; echo $?
show
$DOCKER network disconnect $N-b $N-1
$DOCKER network disconnect -f $N-a $N-1
show
$DOCKER network connect bridge $N-1
$DOCKER inspect -f '{{range $n, $e := .NetworkSettings.Networks}}{{$n}}{{end}}' $N-1
$DOCKER restart -t 0 $N-1 >/dev/null
$DOCKER inspect -f '{{range $n, $e := .NetworkSettings.Networks}}{{$n}}{{end}}' $N-1
$DOCKER rm -f $N-1
$DOCKER network rm $N-a $N-b
