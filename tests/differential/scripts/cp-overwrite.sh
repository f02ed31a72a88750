N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
mkdir x y; echo f >x/n; mkdir y/n; echo in >y/n/in; tar cf file.tar -C x n; tar cf dir.tar -C y n
$DOCKER run -d --name $N-a busybox sh -c 'mkdir -p /t/n; sleep 100' >/dev/null; sleep 0.5
code cp x/n $N-a:/t/n; code cp x/n $N-a:/t; $DOCKER exec $N-a find /t | sort
code cp - $N-a:/t <file.tar; code cp - $N-a:/t <dir.tar
$DOCKER exec $N-a sh -c 'rm -r /t/n; echo old >/t/n'; code cp y/n $N-a:/t; code cp y/n $N-a:/t/n; code cp - $N-a:/t <dir.tar; $DOCKER exec $N-a find /t | sort
echo a >f; chmod 750 f; code cp f $N-a:/t/m; echo bb >f; chmod 700 f; code cp f $N-a:/t/m; $DOCKER exec $N-a sh -c 'cat /t/m; ls -l /t/m | cut -c1-10'
$DOCKER rm -f $N-a
cd /; rm -rf $T
