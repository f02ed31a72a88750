N=${N:-df$$}
$DOCKER volume create --label a=b --label c $N-v
$DOCKER volume inspect $N-v
$DOCKER volume inspect -f '{{.Name}} {{.Driver}} {{.Scope}} {{json .Labels}} {{json .Options}}' $N-v
$DOCKER volume inspect $N-none; echo $?
$DOCKER volume inspect $N-v $N-none -f '{{.Name}}'; echo $?
$DOCKER volume rm $N-v
