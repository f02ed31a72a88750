N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER create --name $N-a busybox >/dev/null
code cp $N-a:/etc/passwd .; ls; wc -l <passwd
code cp $N-a:/etc/passwd other; ls
code cp $N-a:/etc/passwd ./nodir/; ls
mkdir there; code cp $N-a:/etc/passwd there; ls there
code cp $N-a:/etc/passwd there/x; ls there
code cp $N-a:/etc/passwd there/x/; code cp $N-a:/etc/passwd nowhere/x
code cp $N-a:etc/group .; ls
$DOCKER rm $N-a
cd /; rm -rf $T
