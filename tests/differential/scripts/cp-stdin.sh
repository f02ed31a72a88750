N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER create --name $N-a busybox >/dev/null
echo x >f; mkdir d; echo y >d/g; tar cf t.tar f d
code cp - $N-a:/tmp <t.tar; $DOCKER cp $N-a:/tmp - | show
code cp - $N-a:/nope <t.tar; code cp - $N-a:/etc/passwd <t.tar; code cp - $N-a:/tmp/f/ <t.tar
gzip -k t.tar; code cp - $N-a:/var <t.tar.gz; $DOCKER cp $N-a:/var/f - | show
: >e; code cp - $N-a:/tmp <e
code cp - - <e; code cp $N-a:/tmp $N-a:/var; code cp f d
$DOCKER rm $N-a
cd /; rm -rf $T
