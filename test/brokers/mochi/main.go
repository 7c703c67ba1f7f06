// mochi-mqtt on a port of the loopback interface, with its sessions in a file: broker PORT FILE
package main

import (
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/hooks/storage/bolt"
	"github.com/mochi-mqtt/server/v2/listeners"
	"go.etcd.io/bbolt"
)

func main() {
	port, file := os.Args[1], os.Args[2]
	server := mqtt.New(nil)
	must(server.AddHook(new(auth.AllowHook), nil))
	// Without NoSync each message costs this store a sync of the file, and it keeps up with a hundred a second only.
	options := &bbolt.Options{Timeout: time.Second, NoSync: true}
	must(server.AddHook(new(bolt.Hook), &bolt.Options{Path: file, Options: options}))
	must(server.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:" + port})))
	must(server.Serve())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	<-signals
	must(server.Close())
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
