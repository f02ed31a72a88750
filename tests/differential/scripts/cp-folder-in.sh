N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run -d --name $N-a busybox sleep 100 >/dev/null
mkdir -p d/sub; echo 1 >d/a; echo 2 >d/sub/b
code cp d $N-a:/tmp; code cp d $N-a:/tmp/new; code cp d/. $N-a:/tmp/in; $DOCKER exec $N-a find /tmp | sort
code cp d $N-a:/tmp/new; code cp d/ $N-a:/tmp/slash; code cp d/. $N-a:/tmp; $DOCKER exec $N-a find /tmp | sort
code cp d $N-a:/etc/passwd; code cp d/. $N-a:/etc/passwd; code cp d $N-a:/no/where; code cp d $N-a:/no/; code cp d/. $N-a:/no/.
$DOCKER exec $N-a find /no
$DOCKER rm -f $N-a
cd /; rm -rf $T
