N=${N:-df$$}
for o in "-o type=tmpfs" "-o device=tmpfs" "-o o=size=1m" "-o size=abc" "-o size=" "-o TYPE=tmpfs -o device=x" "-o foo=x" "-o =x" "-o foo" "-o type= -o device=" "-o type=tmpfs -o device=tmpfs -o o="; do
  $DOCKER volume create $o $N-v; echo $?; $DOCKER volume inspect -f '{{json .Options}}' $N-v; $DOCKER volume rm $N-v
done
