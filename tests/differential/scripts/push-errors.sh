# What can't be pushed: no such image, tag or registry; a digest; a name that is none; a platform that the image does not have.
. "$(dirname "$0")/../registry.sh"; registry
$DOCKER tag busybox $R/app:1; $DOCKER tag busybox 127.0.0.1:1/app:1
for args in $R/app:2 $R/none $R/none:1 "-a $R/none" $R/App:1 $R/app: 127.0.0.1:1/app:1 $N "--platform linux/s390x $R/app:1" "--platform x/y/z/w $R/app:1" "-a $R/app:1" "$R/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; do
  $DOCKER push $args 2>&1 | said; done
$DOCKER push; $DOCKER push a b
$DOCKER rmi $R/app:1 127.0.0.1:1/app:1 > $D/out
