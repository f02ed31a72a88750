N=${N:-df$$}
for m in tmpfs-size=1m tmpfs-size=1m,tmpfs-mode=0700 tmpfs-mode=1777 tmpfs-mode=abc tmpfs-size=abc tmpfs-size=-1 readonly; do $DOCKER run --rm --mount type=tmpfs,dst=/d,$m busybox sh -c 'grep " /d " /proc/mounts; stat -c %a /d; touch /d/x 2>&1 && echo written'; echo $?; done
