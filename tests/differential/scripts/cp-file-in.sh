N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run -d --name $N-a busybox sleep 100 >/dev/null
echo one >f; code cp f $N-a:/tmp; $DOCKER exec $N-a cat /tmp/f
code cp f $N-a:/tmp/g; $DOCKER exec $N-a cat /tmp/g
code cp f $N-a:/tmp/; code cp ./f $N-a:tmp/h; $DOCKER exec $N-a ls /tmp
code cp f $N-a:/nope/; code cp f $N-a:/nope/x; code cp f $N-a:/nope
$DOCKER exec $N-a cat /nope
code cp f $N-a:/tmp/f/; code cp f $N-a:/tmp/f/x
echo two >f; code cp f $N-a:/tmp/f; $DOCKER exec $N-a cat /tmp/f
code cp nofile $N-a:/tmp; code cp f/ $N-a:/tmp
$DOCKER rm -f $N-a
cd /; rm -rf $T
