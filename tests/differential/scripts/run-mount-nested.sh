N=${N:-df$$}
$DOCKER run --rm -v $N-a:/d/in/side -v $N-b:/d busybox sh -c 'touch /d/in/side/a /d/b; find /d | sort'
$DOCKER run --rm -v $N-b:/b -v $N-a:/a busybox sh -c 'find /a /b | sort'
$DOCKER volume rm $N-a $N-b
