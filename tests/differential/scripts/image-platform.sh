# Platforms of inspect, history, save, load, rmi and import.
N=${N:-df$$}
d=$(mktemp -d); echo x > $d/f; p() { $DOCKER rmi $N:p > $d/out 2>&1; tar -C $d -c f | $DOCKER import "$@" - $N:p; echo $?; }
p --platform linux/arm64/v8 | grep -v sha256; $DOCKER image inspect $N:p | grep -e \"Variant -e \"Arch; p --platform windows/amd64; p --platform linux; p --platform nonsense/x/y/z; p --platform linux/riscv64 | grep -v sha256; $DOCKER image inspect $N:p | grep -e \"Variant -e \"Arch
h=linux/$($DOCKER image inspect -f '{{.Architecture}}' busybox)
for o in linux/riscv64 linux/s390x $h linux windows; do echo "== $o"; $DOCKER image inspect --platform "$o" -f '{{.Architecture}}' $N:p; $DOCKER history --platform "$o" -q $N:p | wc -l; $DOCKER history --platform "$o" nosuch-$N:p; $DOCKER save --platform "$o" -o $d/o $N:p; echo $?; done
$DOCKER tag busybox $N:b; $DOCKER save -o $d/s $N:p $N:b; $DOCKER rmi $N:b
for o in linux/riscv64 linux/s390x $h linux; do echo "== $o"; $DOCKER load --platform "$o" -i $d/s; echo $?; done
$DOCKER rmi $N:p $N:b; $DOCKER load -i $d/s | sort; $DOCKER save --platform linux/s390x $N:b nosuch-$N | wc -c; $DOCKER save --platform $h -o $d/x $N:p $N:b; $DOCKER rmi $N:p $N:b; rm -r $d
