# A pull by tag: new, quiet, up to date; what is listed of it.
. "$(dirname "$0")/../registry.sh"; registry; image team/app 1 one
$DOCKER pull $R/team/app:1 2>&1 | said; $DOCKER pull $R/team/app:1 2>&1 | said; $DOCKER pull -q $R/team/app:1 2>&1 | said; listed; listed --no-trunc
$DOCKER image inspect -f '{{.RepoTags}} {{.RepoDigests}} {{.Architecture}} {{.Os}} {{.Created}} {{.Config.Cmd}} {{len .RootFS.Layers}}' $R/team/app:1 | said
image team/app latest two; $DOCKER pull $R/team/app 2>&1 | said; listed; $DOCKER history --format '{{.CreatedBy}} {{.Size}}' $R/team/app | said
gone $R/team/app:1 $R/team/app
