N=${N:-df$$}
t() { $DOCKER volume create "$@" $N-v >/dev/null; $DOCKER run --rm -v $N-v:/d busybox true 2>&1 | sed 's/lookup nosuch.invalid.*/lookup FAILED/'; $DOCKER volume rm $N-v; }
t -o type=nfs -o device=:/x -o o=addr=127.0.0.1,rw
t -o type=nfs -o device=:/x -o o=addr=localhost,rw,nfsvers=4
t -o type=nfs -o device=127.0.0.1:/x -o o=rw
t -o type=nfs -o device=:/x -o o=addr=nosuch.invalid
t -o type=cifs -o device=//localhost/x -o o=username=a,password=secret
t -o type=cifs -o device=//127.0.0.1/x -o o=addr=127.0.0.1,username=a,password=secret
t -o type=cifs -o device=//nosuch.invalid/x -o o=username=a
