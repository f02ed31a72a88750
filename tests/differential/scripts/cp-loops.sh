N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run --name $N-a busybox sh -c 'ln -s loop /loop; ln -s b /a; ln -s a /b; ln -s loop/x /through'
echo 1 >f
for p in /loop /loop/ /loop/x /a /through; do code cp $N-a:$p out; code cp f $N-a:$p; code cp - $N-a:$p </dev/null; done
$DOCKER rm $N-a
cd /; rm -rf $T
