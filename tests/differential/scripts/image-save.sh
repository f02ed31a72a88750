# What an archive holds: several images, shared layers, all tags of a repository, ids and prefixes.
N=${N:-df$$}
d=$(mktemp -d); cd $d; $DOCKER tag busybox $N/r:1; $DOCKER tag busybox $N/r:2; echo x > $d/f; a=$(tar -C $d -c f | $DOCKER import -m imported - $N/r:3); $DOCKER tag busybox $N:only
show() { tar tvf $d/s | grep -v 'blobs/sha256/.' | sed 's/ [0-9]\{4\}-.*:[0-9][0-9] / /; s/ [0-9]* blobs/ SIZE blobs/'; for j in manifest.json index.json repositories oci-layout; do tar xOf $d/s $j 2>&1 | sed "s/\"size\":[0-9]*/SIZE/g"; echo; done; }
for refs in "$N/r:1" "$N/r:2 $N/r:1 $N/r:1" "$a" "$(echo $a | cut -c8-19)" "$a $N/r:3" "$N:only"; do echo "== $(echo $refs | wc -w)"; $DOCKER save -o $d/s $refs && show; done
$DOCKER save $N/r:nosuch -o $d/t; $DOCKER save nosuch-$N -o $d/t; $DOCKER save $N/r:1 nosuch-$N:1 -o $d/t; $DOCKER save -o no/such $N/r; $DOCKER save UPPER -o $d/t; $DOCKER save sha256:0123 -o $d/t; $DOCKER save -o $d/t busybox@$a; $DOCKER save; echo $?; ls $d
$DOCKER rmi $N/r:1 $N/r:2 $N/r:3 $N:only | grep -v Deleted; rm -r $d
