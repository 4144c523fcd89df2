package main

import (
	_ "k8s.io/api/networking/v1"
	_ "k8s.io/client-go/informers"
	_ "k8s.io/client-go/tools/clientcmd"
)

func main() {}
