# Capabilities of files stay.
N=${N:-df$$}
d=$(mktemp -d); touch $d/f; setcap cap_net_raw+ep $d/f 2>/dev/null; setfattr -n user.note -v hello $d/f 2>/dev/null; tar --xattrs --xattrs-include='*' -C $d -cf $d/t f; $DOCKER import $d/t $N:x >/dev/null
$DOCKER create --name $N $N:x /f >/dev/null; $DOCKER commit $N $N:y >/dev/null; $DOCKER create --name $N-2 $N:y /f >/dev/null; $DOCKER export $N-2 | tar --xattrs --xattrs-include='*' -tvvf - f
$DOCKER rm $N $N-2 >/dev/null; $DOCKER rmi $N:x $N:y | wc -l; rm -r $d
