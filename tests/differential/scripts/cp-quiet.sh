N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g; s/docker\|wharf/PROGRAM/g"; rm -f out; echo "exit $r"; }
$DOCKER create --name $N-a busybox >/dev/null; echo 1 >f
code cp -q f $N-a:/tmp; code cp --quiet $N-a:/tmp/f g; code cp -a -L -q f $N-a:/tmp/h; code cp --nosuch f $N-a:/; code container cp f $N-a:/tmp/k; $DOCKER cp $N-a:/tmp - | show
$DOCKER rm $N-a
cd /; rm -rf $T
