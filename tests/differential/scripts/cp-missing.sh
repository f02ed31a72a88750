N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g; s/docker\|wharf/PROGRAM/g"; rm -f out; echo "exit $r"; }
$DOCKER create --name $N-a busybox >/dev/null
echo 1 >f
for p in /nope /nope/ /nope/. /nope/x nope /etc/nope /etc/passwd/ /etc/passwd/x /etc/passwd/.; do code cp $N-a:$p out; code cp f $N-a:$p/y; code cp - $N-a:$p </dev/null; done
code cp nosuch-$N:/etc out; code cp f nosuch-$N:/etc; code cp $N-a: out; code cp f $N-a:; code cp :/etc out; code cp f :/etc
code cp; code cp f; code cp a b c
$DOCKER rm $N-a
cd /; rm -rf $T
