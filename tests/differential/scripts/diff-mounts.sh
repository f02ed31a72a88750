# What mounts leave behind.
N=${N:-df$$}
d=$(mktemp -d); touch $d/f; $DOCKER run --name $N -v /vol/deep -v $d:/bindt/x:ro -v $d/f:/etc/file --tmpfs /tt busybox touch /vol/deep/v; $DOCKER diff $N | sort; $DOCKER rm -v $N >/dev/null; rm -r $d
