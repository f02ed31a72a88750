N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run --name $N-a busybox sh -c 'mkdir -p /d/sub/deep; echo 1 >/d/a; echo 2 >/d/sub/b'
code cp $N-a:/d .; find d | sort
code cp $N-a:/d new; find new | sort
mkdir in; code cp $N-a:/d in; find in | sort
mkdir in2; code cp $N-a:/d/. in2; find in2 | sort
mkdir in3; code cp $N-a:/d/ in3; find in3 | sort
echo f >file; code cp $N-a:/d file; code cp $N-a:/d/. file
code cp $N-a:/d no/where; code cp $N-a:/d no/; code cp $N-a:/d/. made; find made | sort
$DOCKER rm $N-a
cd /; rm -rf $T
