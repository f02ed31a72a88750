N=${N:-df$$}
$DOCKER run --rm --dns 1.2.3.4 --dns-search a.b --dns-option ndots:3 busybox grep -v '^#' /etc/resolv.conf
