N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run -d --name $N-a busybox sleep 100 >/dev/null; echo bad >f
put() { code cp - $N-a:/tmp <t.tar; }
tar cPf t.tar --transform 's,^f,../../up,' f; put; tar cPf t.tar --transform 's,^f,/absolute,' f; put; tar cPf t.tar --transform 's,^f,a/../b,' f; put
ln -s ../../../../../etc esc; tar cf t.tar esc; put
$DOCKER exec $N-a sh -c 'ls /tmp; readlink /tmp/esc; ls /up 2>&1'
echo h >h1; ln h1 h2; tar cf t.tar h1 h2; put; tar --delete -f t.tar h1; $DOCKER exec $N-a rm /tmp/h1 /tmp/h2; put
echo garbage >t.tar; $DOCKER cp - $N-a:/tmp <t.tar 2>/dev/null; echo $?
$DOCKER exec $N-a ls /tmp; $DOCKER rm -f $N-a
cd /; rm -rf $T
