# A registry with users, over TLS: nobody, a wrong password, the right one, and after logging out.
. "$(dirname "$0")/../registry.sh"; registry auth
export DOCKER_CONFIG=$D/client WHARF_CONFIG=$D/client; mkdir $D/client
$DOCKER tag busybox $R/app:1
$DOCKER push $R/app:1 2>&1 | said
echo wrong | $DOCKER login -u alice --password-stdin $R 2>&1 | said | sed 's/http:/https:/; s/40[01] .*/REFUSED/'
echo secret | $DOCKER login -u alice --password-stdin $R 2>&1 | grep Succeeded
$DOCKER push $R/app:1 2>&1 | said; $DOCKER push -q $R/app:1 2>&1 | said
$DOCKER logout $R 2>&1 | said
$DOCKER push $R/app:1 2>&1 | said
$DOCKER rmi $R/app:1 > $D/out
