N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
echo 1 >f; $DOCKER create --name $N-a busybox cat /tmp/f >/dev/null
code cp $N-a:/tmp - >/dev/null; code cp f $N-a:/tmp/f; $DOCKER start -a $N-a; echo 2 >f; code cp f $N-a:/tmp/f; $DOCKER start -a $N-a; $DOCKER diff $N-a
$DOCKER rm $N-a
cd /; rm -rf $T
