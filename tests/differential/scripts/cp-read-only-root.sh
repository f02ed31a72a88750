N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run -d --name $N-a --read-only -v $N-v:/vol busybox sleep 100 >/dev/null
echo 1 >f; mkdir d
for p in / /etc /etc/ /etc/hosts /etc/passwd /nope /nope/ /vol /vol/ /vol/f /vol/new; do echo $p; code cp f $N-a:$p; done
code cp d $N-a:/etc; code cp - $N-a:/etc </dev/null; code cp $N-a:/etc/passwd out; $DOCKER exec $N-a find /vol | sort
$DOCKER rm -f $N-a; $DOCKER create --name $N-a --read-only -v $N-v:/vol busybox >/dev/null
code cp f $N-a:/etc; code cp f $N-a:/vol/stopped; $DOCKER cp $N-a:/vol - | show
$DOCKER rm $N-a; $DOCKER volume rm $N-v
cd /; rm -rf $T
