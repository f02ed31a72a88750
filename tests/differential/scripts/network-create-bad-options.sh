N=${N:-df$$}
exec 2>&1
try() { $DOCKER network create "$@"; echo $?; }
bridge=com.docker.network.bridge
try -o com.docker.network.driver.mtu=foo $N-a
try -o com.docker.network.driver.mtu=-5 $N-a
try -o $bridge.enable_icc=perhaps $N-a
try -o $bridge.enable_ip_masquerade=perhaps $N-a
try -o $bridge.host_binding_ipv4=foo $N-a
try -o $bridge.gateway_mode_ipv4=foo $N-a
try -o $bridge.gateway_mode_ipv6=foo $N-a
try -o $bridge.gateway_mode_ipv4=isolated $N-a
try -o $bridge.name=a-name-that-is-far-too-long $N-a
try -o $bridge.name=lo $N-a
try -o com.docker.network.enable_ipv6=perhaps $N-a
try --ipv6 -o $bridge.inhibit_ipv4=perhaps $N-a
$DOCKER network ls --filter name=$N -q
