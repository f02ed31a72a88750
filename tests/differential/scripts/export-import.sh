# What was exported can be imported, and runs.
N=${N:-df$$}
$DOCKER run --name $N busybox sh -c 'echo kept > /kept'; $DOCKER export $N | $DOCKER import - $N:i >/dev/null; $DOCKER run --rm $N:i cat /kept; $DOCKER image inspect -f '{{len .RootFS.Layers}}' $N:i; $DOCKER rm $N >/dev/null; $DOCKER rmi $N:i | wc -l
