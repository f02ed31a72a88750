N=${N:-df$$}
$DOCKER run --rm -v $N-v:/v busybox sh -c 'mkdir -p /v/sub/deep; echo x >/v/sub/file; ln -s sub /v/link; ln -s /etc /v/abs; mkfifo /v/fifo'
for s in sub sub/deep sub/file link link/deep sub/../sub . fifo; do echo "-- $s"; $DOCKER run --rm --mount type=volume,src=$N-v,dst=/d,volume-subpath=$s busybox sh -c 'ls -d /d; ls /d'; done
$DOCKER run --rm --mount type=volume,src=$N-v,dst=/d,volume-subpath=sub,readonly busybox touch /d/x; echo $?
$DOCKER volume rm $N-v
