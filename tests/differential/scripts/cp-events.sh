N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
echo 1 >f; $DOCKER run -d --name $N-a -v $N-v:/v busybox sleep 100 >/dev/null; S=$(date +%s)
$DOCKER cp f $N-a:/tmp; $DOCKER cp $N-a:/tmp - >/dev/null; $DOCKER cp $N-a:/nope -; $DOCKER cp f $N-a:/v/; $DOCKER cp f $N-a:/no/pe
sleep 1.1; $DOCKER events --since $S --until $(date +%s) --filter container=$N-a --filter event=archive-path --filter event=extract-to-dir --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.image}}'
$DOCKER rm -f $N-a; $DOCKER volume rm $N-v
cd /; rm -rf $T
