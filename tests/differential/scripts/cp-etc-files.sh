N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
echo 1.2.3.4 mine >hosts; mkdir -p d/hosts
$DOCKER run -d --name $N-a busybox sleep 100 >/dev/null
for f in hosts hostname resolv.conf; do cp hosts x; code cp x $N-a:/etc/$f; done
code cp hosts $N-a:/etc; code cp hosts $N-a:/etc/hosts2; code cp d/hosts $N-a:/etc
$DOCKER cp $N-a:/etc/hosts - | show | cut -d" " -f1,2,4; $DOCKER exec $N-a cat /etc/hosts2
$DOCKER rm -f $N-a
$DOCKER create --name $N-b busybox >/dev/null; $DOCKER cp $N-b:/etc/hosts - | show; code cp hosts $N-b:/etc/hosts; $DOCKER cp $N-b:/etc/hosts - | show
$DOCKER rm $N-b
cd /; rm -rf $T
