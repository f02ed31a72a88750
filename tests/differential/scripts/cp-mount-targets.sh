N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
echo mine >f; echo theirs >one; mkdir d b
$DOCKER run -d --name $N-a -v $T/one:/one -v $N-v:/vol busybox sleep 100 >/dev/null
for p in /one /vol/../one; do code cp f $N-a:$p; done; cat one
code cp d $N-a:/one; code cp d/. $N-a:/one
$DOCKER cp $N-a:/one - | show; $DOCKER cp $N-a:/etc/hostname - | show | wc -l
cp f vol; code cp vol $N-a:/; $DOCKER exec $N-a ls -ld /vol | cut -c1
mkdir one2; cp -r one2 t; mkdir t/vol; tar cf t.tar -C t vol; code cp - $N-a:/ <t.tar
$DOCKER rm -f $N-a; $DOCKER volume rm $N-v
cd /; rm -rf $T
