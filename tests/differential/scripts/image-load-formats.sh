# Archives as they come: compressed, gzipped layers, many tags, damaged ones.
N=${N:-df$$}
d=$(mktemp -d); mkdir $d/x; echo $N > $d/x/f; tar --mtime=@0 -C $d/x -cf $d/layer.tar f; diff=$(sha256sum < $d/layer.tar | cut -d' ' -f1); mkdir $d/a; cp $d/layer.tar $d/a
printf '{"os":"linux","architecture":"amd64","created":"2024-01-01T00:00:00Z","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' $diff > $d/a/c.json
m() { printf '[{"Config":"c.json","RepoTags":%s,"Layers":["layer.tar"]}]' "$1" > $d/a/manifest.json; tar -C $d/a -cf $d/s .; }
go() { $DOCKER load -i $d/s; echo $?; }
m "[\"$N:1\",\"$N:2\",\"$N/x:1\"]"; go; for z in gzip zstd; do $z -kqf $d/s 2>&1; $DOCKER load -i $d/s.*; rm $d/s.*; done; $DOCKER rmi $N:1 $N:2 $N/x:1
m null; go; m "[\"$N\"]"; go; m "[\"BAD:1\"]"; go; m "[\"$N@sha256:$diff\"]"; go; m '[""]'; go
i=sha256:$(sha256sum < $d/a/c.json | cut -d' ' -f1); $DOCKER rmi $i
gzip -f $d/a/layer.tar; mv $d/a/layer.tar.gz $d/a/layer.tar; m "[\"$N:gz\"]"; go; $DOCKER rmi $N:gz
cp $d/layer.tar $d/a; m "[\"$N:here\"]"; go; rm $d/a/layer.tar; m "[\"$N:there\"]"; go; $DOCKER rmi $N:here $N:there
cp $d/layer.tar $d/a; printf x | dd of=$d/a/layer.tar bs=1 seek=600 conv=notrunc 2>/dev/null; m "[\"$N:bad\"]"; go
for j in 'null' '[]' '{}' 'nonsense' '"x"' 'true' '7' '[{]'; do echo "== $j"; rm -rf $d/a/*; printf '%s' "$j" > $d/a/manifest.json; tar -C $d/a -cf $d/s .; go; done
$DOCKER load -i nosuch-$N.tar; echo $?; rm -r $d
