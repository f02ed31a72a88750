N=${N:-df$$}
t() { $DOCKER volume create "$@" $N-v >/dev/null; $DOCKER run --rm -v $N-v:/d busybox true; echo $?; $DOCKER volume rm $N-v; }
t -o type=tmpfs -o device=tmpfs -o o=bogus
t -o type=tmpfs -o device=tmpfs -o o=size=1m,defaults
t -o type=nosuchfs -o device=x
t -o type=none -o o=bind -o device=/nonexistent-dir
t -o type=none -o o=bind,ro,nosuid -o device=/nonexistent-dir
t -o type=ext4 -o device=/dev/nosuch
t -o type=none -o device=/tmp
