N=${N:-df$$}
$DOCKER volume create --label $N=1 $N-a >/dev/null; $DOCKER volume create --label $N=2 --label x $N-b >/dev/null; $DOCKER volume create $N-c >/dev/null
$DOCKER create --name $N-u -v $N-a:/d busybox >/dev/null
for f in name=$N "name=^$N-[ab]\$" label=$N label=$N=2 "label=$N=1 -f label=x" driver=local driver=nosuch dangling=true dangling=false dangling=1 dangling=maybe bogus=x; do
  echo "-- $f" | sed "s/$N/NAME/g"; $DOCKER volume ls -q -f name=$N -f $f | sort; done
$DOCKER volume ls -f name=$N; $DOCKER volume ls -f name=$N --format '{{.Name}} {{.Driver}} {{.Labels}} {{.Scope}}'
$DOCKER rm $N-u >/dev/null; $DOCKER volume rm $N-a $N-b $N-c
