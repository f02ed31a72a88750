N=${N:-df$$}
exec 2>&1
$DOCKER network create --subnet 192.168.240.0/24 --label z=1 $N-a >/dev/null
$DOCKER network inspect $N-a
$DOCKER run -d --name $N-1 --net $N-a busybox sleep 100 >/dev/null
$DOCKER create --name $N-2 --net $N-a busybox sleep 100 >/dev/null
$DOCKER network inspect $N-a
$DOCKER network inspect --verbose $N-a
$DOCKER network inspect -f json $N-a
$DOCKER network inspect -f '{{.Name}} {{len .Containers}} {{range .Containers}}{{.Name}} {{.IPv4Address}} [{{.IPv6Address}}]{{end}}' $N-a
$DOCKER network inspect -f '{{.Nope}}' $N-a; echo $?
$DOCKER network inspect $(printf %.7s $($DOCKER network inspect -f '{{.Id}}' $N-a)) -f '{{.Name}}'
$DOCKER network inspect nosuch-$N $N-a nosuch2-$N -f '{{.Name}}'; echo $?
$DOCKER inspect --type network -f '{{.Name}} {{.ID}}' $N-a
$DOCKER network inspect host none -f '{{.Name}} {{.Driver}} {{.Scope}} {{json .IPAM}} {{json .Options}}'
$DOCKER rm -f $N-1 $N-2
$DOCKER network rm $N-a
