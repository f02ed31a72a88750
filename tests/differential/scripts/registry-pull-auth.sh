# Pulls from a registry with users over TLS: nobody, a wrong password, the right one, after logging out.
. "$(dirname "$0")/../registry.sh"; registry auth
export DOCKER_CONFIG=$D/client WHARF_CONFIG=$D/client; mkdir $D/client
$DOCKER tag busybox $R/app:1; echo secret | $DOCKER login -u alice --password-stdin $R 2>&1 | grep Succeeded; $DOCKER push -q $R/app:1 | said; $DOCKER rmi $R/app:1 | said | sort; $DOCKER logout $R | said
for name in $R/app:1 $R/none "-a $R/app"; do $DOCKER pull $name 2>&1 | said; done
echo wrong | $DOCKER login -u alice --password-stdin $R > $D/out 2>&1; echo $?; $DOCKER pull $R/app:1 2>&1 | said
echo secret | $DOCKER login -u alice --password-stdin $R 2>&1 | grep Succeeded; $DOCKER pull -q $R/app:1 | said; $DOCKER pull $R/none 2>&1 | said; $DOCKER pull $R/app:none 2>&1 | said
$DOCKER logout $R | said; $DOCKER logout $R | said; cat $D/client/config.json; $DOCKER pull $R/app:1 2>&1 | said; $DOCKER pull --platform linux/s390x $R/app:1 2>&1 | said
$DOCKER rmi $R/app:1 | said | sort
