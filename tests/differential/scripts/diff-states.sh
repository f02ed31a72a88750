# Of created, running and missing containers.
N=${N:-df$$}
$DOCKER create --name $N busybox touch /x >/dev/null; $DOCKER diff $N; echo $?; $DOCKER start -a $N; $DOCKER diff $N; $DOCKER rm $N >/dev/null; $DOCKER run -d --name $N busybox sh -c 'touch /r; sleep 60' >/dev/null; until $DOCKER exec $N test -e /r; do :; done; $DOCKER exec $N rm /r /bin/vi; $DOCKER diff $N | sort; $DOCKER rm -f $N >/dev/null; $DOCKER diff no-such-$N; echo $?; $DOCKER diff; echo $?
