# Logins: wrong, without a user, to what is no registry; what is kept of them; twice, and out again.
. "$(dirname "$0")/../registry.sh"; registry auth
export DOCKER_CONFIG=$D/client WHARF_CONFIG=$D/client; mkdir $D/client
try() { pass=$1; shift; echo $pass | $DOCKER login "$@" 2>&1 | said | sed 's/http:/https:/; s/40[01] .*/REFUSED/' | grep -v -e '^$' -e WARNING -e onfigure -e docs.docker.com; }
try wrong -u alice --password-stdin $R; try secret -u nobody --password-stdin $R; try secret --password-stdin $R; try secret -u alice $R; try secret -u alice -p secret --password-stdin $R; try '' -u alice --password-stdin $R; try secret -u alice --password-stdin 127.0.0.1:1
try secret -u alice --password-stdin $R; said < $D/client/config.json; try secret -u alice --password-stdin https://$R/v2/; try secret -u alice -p secret http://$R; said < $D/client/config.json
for server in $R https://$R $R none.test; do $DOCKER logout $server 2>&1 | said; done; cat $D/client/config.json
