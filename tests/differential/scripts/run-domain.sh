N=${N:-df$$}
$DOCKER run --rm -h a --domainname b.c busybox cat /proc/sys/kernel/domainname
