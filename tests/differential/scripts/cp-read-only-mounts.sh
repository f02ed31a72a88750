N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
mkdir b; echo 1 >b/x; echo 2 >one; echo 3 >f
$DOCKER run -d --name $N-a -v $T/b:/ro:ro -v $T/one:/one:ro -v $N-v:/vro:ro --mount type=bind,src=$T/b,dst=/m,readonly busybox sleep 100 >/dev/null
for p in /ro /ro/ /ro/x /ro/new /vro /m /one /; do echo $p; code cp f $N-a:$p; done
code cp $N-a:/ro - >/dev/null; $DOCKER cp $N-a:/ro - | show; $DOCKER cp $N-a:/one - | show; ls b; cat one
$DOCKER rm -f $N-a; $DOCKER volume rm $N-v
cd /; rm -rf $T
