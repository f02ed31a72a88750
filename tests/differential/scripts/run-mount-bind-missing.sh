N=${N:-df$$}
$DOCKER run --rm --mount type=bind,src=/tmp/$N-none,dst=/d busybox true; echo $?; ls -d /tmp/$N-none 2>/dev/null
$DOCKER run --rm -v /tmp/$N-none:/d busybox sh -c 'touch /d/x'; ls /tmp/$N-none; stat -c '%u %a' /tmp/$N-none; rm -r /tmp/$N-none
$DOCKER run --rm --mount type=bind,src=relative,dst=/d busybox true 2>&1 | sed "s,$PWD,PWD,g"
