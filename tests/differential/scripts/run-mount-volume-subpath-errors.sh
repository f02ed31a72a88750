N=${N:-df$$}
$DOCKER run --rm -v $N-v:/v busybox sh -c 'mkdir -p /v/sub; echo x >/v/sub/file; ln -s /etc /v/abs'
for s in nosuch abs sub/file/x .. ../x /sub; do $DOCKER run --rm --mount type=volume,src=$N-v,dst=/d,volume-subpath=$s busybox ls /d; echo $?; done
$DOCKER run --rm --mount type=volume,dst=/d,volume-subpath=sub busybox ls /d; echo $?
$DOCKER volume rm $N-v
