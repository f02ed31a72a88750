# A container whose image was removed by force.
N=${N:-df$$}
$DOCKER run --name $N busybox touch /a; $DOCKER commit $N $N:a >/dev/null; $DOCKER rm $N >/dev/null; $DOCKER create --name $N $N:a true >/dev/null; $DOCKER rmi -f $N:a | grep -c Untagged; $DOCKER commit $N >/dev/null 2>&1; echo $?; $DOCKER diff $N; $DOCKER rm $N
