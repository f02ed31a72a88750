# What is not there, has no name, or is not answered.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 one
for name in $R/none $R/none:1 $R/app:2 $R/app $R/App $R/app: $R/app:a:b $R//app $R/-x 127.0.0.1:1/app:1 "$R/app:1 x" '' " " $R $R/ http://$R/app @sha256:12 $R/app@1 $N:1; do
  [ "$name" = $N:1 ] || $DOCKER pull $name 2>&1 | said; done
$DOCKER run $R/none:1 2>&1 | said; $DOCKER create --pull always $R/app:2 2>&1 | said; $DOCKER create --pull never $R/app:1 2>&1 | said
$DOCKER image inspect $R/app:1 2>&1 | said; $DOCKER rmi $R/app:1 2>&1 | said; $DOCKER tag $R/app:1 x 2>&1 | said; $DOCKER push $R/app:1 2>&1 | said; $DOCKER history $R/app:1 2>&1 | said; $DOCKER save $R/app:1 2>&1 | said
