# A name is taken over; the image before it is left without one.
N=${N:-df$$}
$DOCKER run --name $N busybox touch /a; a=$($DOCKER commit $N $N:t); $DOCKER commit -m other $N $N:t >/dev/null; $DOCKER image inspect -f '{{.RepoTags}}' $a; $DOCKER history --format '{{.Comment}}' $N:t | head -1
$DOCKER rmi $a | wc -l; $DOCKER rmi $N:t | wc -l; $DOCKER rm $N >/dev/null
