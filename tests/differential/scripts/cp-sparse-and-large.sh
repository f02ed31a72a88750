N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run -d --name $N-a busybox sleep 100 >/dev/null; truncate -s 20M hole; echo end >>hole; head -c 3000000 /dev/zero | tr '\0' x >big
code cp hole $N-a:/tmp; code cp big $N-a:/tmp; $DOCKER exec $N-a sh -c 'md5sum /tmp/hole /tmp/big'; $DOCKER cp $N-a:/tmp/hole h2; cmp hole h2; $DOCKER cp $N-a:/tmp/big b2; cmp big b2; : >empty; code cp empty $N-a:/tmp; $DOCKER exec $N-a wc -c /tmp/empty
$DOCKER rm -f $N-a
cd /; rm -rf $T
