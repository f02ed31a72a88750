N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run -d --name $N-a busybox sleep 100 >/dev/null; echo 1 >rootfile; mkdir -p rd/etc; echo 2 >rd/etc/added
code cp rootfile $N-a:/; code cp rootfile $N-a:/.; code cp rootfile $N-a:.; code cp rootfile $N-a:/..; code cp rd/. $N-a:/; $DOCKER exec $N-a cat /rootfile /etc/added
code cp $N-a:/rootfile/.. o1; ls o1 | grep -c rootfile; mkdir o2; code cp $N-a:/. o2; ls o2 | grep -c etc; code cp $N-a:/../../etc/added o3; cat o3
code cp rootfile $N-a:; code cp rootfile $N-a:rel/none; $DOCKER rm -f $N-a
cd /; rm -rf $T
