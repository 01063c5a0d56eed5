// Load sends an HTTP request again and again over connections that stay open, and prints what came back as JSON.
//
// It is one thread whose epoll never sleeps, so that a request leaves when it is due. With -rate it is an open loop:
// request i is due at i/rate, whatever the server does, and latency counts from then. Without, it is a closed loop:
// every connection sends its next request when it has its answer. With -probe it asks GET /health a hundred times a
// second beside that. What is due in the warm-up is not counted.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

const (
	probesPerSecond  = 100
	probeConnections = 16
)

func main() {
	port := flag.Int("port", 0, "where the server listens on 127.0.0.1")
	file := flag.String("request", "", "a file with the bytes of the request")
	connections := flag.Int("connections", 8, "how many connections there are")
	rate := flag.Float64("rate", 0, "requests a second that are due; 0 for a closed loop")
	probe := flag.Int("probe", 0, "a second port, to ask for its health")
	warm := flag.Duration("warm", 500*time.Millisecond, "how long to send before anything counts")
	during := flag.Duration("during", 2*time.Second, "how long to count")
	flag.Parse()
	runtime.LockOSThread()
	reports, err := measure(*port, *file, *connections, *rate, *probe, Times{*warm, *during})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(reports)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func measure(port int, file string, connections int, rate float64, probe int, times Times) (map[string]Report, error) {
	request, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	loop, err := newLoop()
	if err != nil {
		return nil, err
	}
	streams := map[string]*stream{"requests": newStream(port, request, connections, rate)}
	if probe != 0 {
		health := []byte("GET /health HTTP/1.1\r\nhost: load\r\n\r\n")
		streams["probe"] = newStream(probe, health, probeConnections, probesPerSecond)
	}
	for _, each := range streams {
		if err := loop.add(each); err != nil {
			return nil, err
		}
	}
	if err := loop.run(times); err != nil {
		return nil, err
	}
	reports := map[string]Report{}
	for name, each := range streams {
		reports[name] = each.report(times.during)
	}
	return reports, nil
}
