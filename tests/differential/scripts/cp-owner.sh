N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
echo 1 >f; chown 1234:5678 f; mkdir d; cp -p f d; chown 9:8 d
$DOCKER run -d --name $N-a busybox sleep 100 >/dev/null; $DOCKER run -d --name $N-u -u 1000:2000 busybox sleep 100 >/dev/null; $DOCKER create --name $N-n -u nosuch busybox >/dev/null; $DOCKER create --name $N-d -u daemon busybox >/dev/null
for c in a u d n; do code cp f $N-$c:/tmp/plain; code cp -a f $N-$c:/tmp/kept; code cp d $N-$c:/tmp; code cp -a d $N-$c:/tmp/dkept; $DOCKER cp $N-$c:/tmp - | show; done
$DOCKER cp $N-a:/tmp/kept k2; stat -c '%u:%g' k2
$DOCKER rm -f $N-a $N-u $N-d $N-n
cd /; rm -rf $T
