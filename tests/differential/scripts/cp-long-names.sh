N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
L=$(printf 'n%.0s' $(seq 200)); mkdir -p $L/$L; echo 1 >$L/$L/$L; B=$(printf 'b%.0s' $(seq 300)); echo 'ü €' >'blank name'; echo q >"quote'd"; mkdir ö
$DOCKER run -d --name $N-a busybox sleep 100 >/dev/null; code cp $L $N-a:/tmp; code cp 'blank name' $N-a:/tmp; code cp "quote'd" $N-a:/tmp; code cp ö $N-a:/tmp
$DOCKER exec $N-a find /tmp | sort; $DOCKER cp $N-a:/tmp back; find back | sort; code cp "$N-a:/tmp/blank name" .; code cp $N-a:/tmp/$B .; code cp $N-a:/tmp/ö o2; ls | grep o2
$DOCKER rm -f $N-a
cd /; rm -rf $T
