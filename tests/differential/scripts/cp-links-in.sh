N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run -d --name $N-a busybox sh -c 'mkdir -p /d/s; ln -s d /rel; ln -s /d/file /abs; ln -s nothing /dangling; ln -s ../../../../d /up; echo up; sleep 100' >/dev/null
until $DOCKER logs $N-a | grep -q up; do sleep 0.1; done
echo 1 >f; code cp f $N-a:/rel; code cp f $N-a:/rel/g; code cp f $N-a:/up/h; $DOCKER exec $N-a find /d | sort
code cp f $N-a:/abs; $DOCKER exec $N-a sh -c 'ls -l /abs | cut -c1; cat /d/file'
code cp f $N-a:/dangling; $DOCKER exec $N-a sh -c 'ls -l /dangling | cut -c1; cat /nothing'
code cp f $N-a:/dangling/; ln -s f l; ln -s /etc/passwd p
code cp l $N-a:/d/l; code cp -L l $N-a:/d/l2; code cp p $N-a:/d; $DOCKER exec $N-a sh -c 'ls -l /d | cut -c1; readlink /d/l; readlink /d/p'
mkdir e; echo 2 >e/x; code cp e $N-a:/rel; $DOCKER exec $N-a find /d | sort
$DOCKER rm -f $N-a
cd /; rm -rf $T
