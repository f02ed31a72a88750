N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
echo 1 >f; $DOCKER run -d --name $N-a busybox sleep 100 >/dev/null; $DOCKER pause $N-a
code cp f $N-a:/tmp; $DOCKER cp $N-a:/tmp - | show; $DOCKER unpause $N-a; $DOCKER exec $N-a cat /tmp/f
$DOCKER rm -f $N-a
cd /; rm -rf $T
