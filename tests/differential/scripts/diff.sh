N=${N:-df$$}
$DOCKER run --name $N-f busybox sh -c "touch /new; rm /bin/vi" ; $DOCKER diff $N-f | sort; $DOCKER rm $N-f
