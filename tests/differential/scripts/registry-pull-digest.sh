# Pulls by digest, and by tag and digest; digests that are not there.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 one; d=$(digest $D/app-1)
$DOCKER pull $R/app@$d 2>&1 | said; listed; $DOCKER pull $R/app@$d 2>&1 | said; $DOCKER image inspect -f '{{.RepoTags}} {{len .RepoDigests}}' $R/app@$d
$DOCKER pull $R/app:1@$d 2>&1 | said; listed; $DOCKER pull $R/app:none@$d 2>&1 | said; listed
$DOCKER pull $R/app:1 2>&1 | said; listed; $DOCKER rmi $R/app:1 | said; listed
$DOCKER pull -q $R/app@$d 2>&1 | said; $DOCKER rmi $R/app@$d | said; listed
for bad in sha256:$(echo ${d#*:} | tr 0-9 1) sha256:12 sha256:${d#*:}00 sha512:${d#*:} sha512:12 md5:d41d8cd98f00b204e9800998ecf8427e; do $DOCKER pull $R/app@$bad 2>&1 | said; done
