N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
mkdir b; echo host >b/x; echo 3 >f
$DOCKER run -d --name $N-a -v $T/b:/bind -v $N-v:/var/deep busybox sleep 100 >/dev/null
code cp f $N-a:/bind; code cp f $N-a:/var/deep; code cp f $N-a:/var; cat b/f; $DOCKER exec $N-a find /var/deep | sort
$DOCKER cp $N-a:/bind - | show; $DOCKER cp $N-a:/var - | show; $DOCKER cp $N-a:/var/deep/. - | show
mkdir -p t/deep; echo deep >t/deep/inner; tar cf t.tar -C t deep; code cp - $N-a:/var <t.tar; $DOCKER exec $N-a cat /var/deep/inner
$DOCKER rm -f $N-a
$DOCKER create --name $N-b -v $T/b:/bind -v $N-v:/var/deep busybox >/dev/null
code cp f $N-b:/bind/stopped; code cp f $N-b:/var/deep/stopped; cat b/stopped; $DOCKER cp $N-b:/var - | show
$DOCKER rm $N-b; $DOCKER volume rm $N-v
cd /; rm -rf $T
