N=${N:-df$$}
$DOCKER run --rm -v $N-v:/etc busybox ls /etc | grep -v -E "hosts|hostname|resolv|mtab"
$DOCKER run --rm -v $N-v:/x busybox sh -c 'stat -c "%u %g %a" /x'
$DOCKER run --rm -v $N-w:/bin:nocopy busybox true; echo $?
$DOCKER run --rm -v $N-n:/home:nocopy -v $N-e:/tmp busybox stat -c '%a %u' /home /tmp
$DOCKER volume rm $N-v $N-w $N-n $N-e
