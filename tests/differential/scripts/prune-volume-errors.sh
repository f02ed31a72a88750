N=${N:-df$$}
exec 2>&1
for filter in until=1h all=maybe dangling=true nosuch=1 driver=local name=x; do
  $DOCKER volume prune -f --filter label=$N-none --filter "$filter"; echo "$filter $?"
done
$DOCKER volume prune -f --filter label=$N-none --filter all=1 --filter all=1; echo $?
$DOCKER volume prune -af --filter label=$N-none --filter all=1; echo $?
$DOCKER volume prune -f --filter label=$N-none --filter all=0; echo $?
echo n | $DOCKER volume prune --filter label=$N-none; echo $?
echo n | $DOCKER volume prune -a --filter label=$N-none; echo $?
