# Removal that names a platform.
N=${N:-df$$}
d=$(mktemp -d); echo $N > $d/f; a=$(tar -C $d -c f | $DOCKER import --platform linux/riscv64 - $N:p)
$DOCKER rmi --platform linux/s390x $N:p; $DOCKER rmi --platform linux/s390x,linux/riscv64 $N:p; $DOCKER rmi --platform linux/s390x nosuch-$N:p; echo $?; $DOCKER rmi --platform linux/riscv64 $N:p; rm -r $d
