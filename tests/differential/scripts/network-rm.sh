N=${N:-df$$}
exec 2>&1
for net in a b c; do $DOCKER network create $N-$net >/dev/null; done
$DOCKER run -d --name $N-1 --net $N-a busybox sleep 100 >/dev/null
$DOCKER create --name $N-2 --net $N-b busybox true >/dev/null
$DOCKER network rm $N-a; echo $?
$DOCKER network rm -f $N-a; echo $?
$DOCKER network rm $N-b; echo $?
$DOCKER start $N-2; echo $?
$DOCKER network rm nosuch-$N $N-c; echo $?
$DOCKER network rm -f nosuch-$N; echo $?
for net in host none bridge; do $DOCKER network rm $net; echo $?; done
$DOCKER network rm; echo $?
$DOCKER network rm ""; echo $?
$DOCKER rm -f $N-1 $N-2
$DOCKER network remove $N-a; echo $?
$DOCKER network ls -q --filter name=$N
