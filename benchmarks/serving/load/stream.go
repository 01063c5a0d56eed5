package main

import (
	"bytes"
	"sort"
	"strconv"
	"time"
)

// A stream is one request, the connections that carry it, and what came back.
type stream struct {
	port        int
	request     []byte
	connections int
	rate        float64
	sent        int
	open        int
	idle        []*connection
	took        map[int][]time.Duration
	inTime      map[int]int
	failures    int
}

type connection struct {
	fd     int
	stream *stream
	isIdle bool
	dueAt  time.Time
	got    []byte
}

// Report tells a stream's answers by status; a failure is a connection that ended, or never answered.
type Report struct {
	Answers  map[string]Status `json:"answers"`
	Failures int               `json:"failures"`
}

// Status tells how often a status was answered, how many times a second within the time that counts, and the
// milliseconds that it took from when its request was due.
type Status struct {
	Count int     `json:"count"`
	Rate  float64 `json:"rate"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

func newStream(port int, request []byte, connections int, rate float64) *stream {
	return &stream{
		port: port, request: request, connections: connections, rate: rate,
		took: map[int][]time.Duration{}, inTime: map[int]int{},
	}
}

// due tells when the next request is due, and whether that is now.
func (stream *stream) due(start, now time.Time) (time.Time, bool) {
	if stream.rate == 0 {
		return now, true
	}
	at := start.Add(time.Duration(float64(stream.sent) / stream.rate * float64(time.Second)))
	return at, !at.After(now)
}

func (stream *stream) count(status int, took time.Duration, isInTime bool) {
	stream.took[status] = append(stream.took[status], took)
	if isInTime {
		stream.inTime[status]++
	}
}

func (stream *stream) report(during time.Duration) Report {
	answers := map[string]Status{}
	for status, took := range stream.took {
		sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
		at := func(part float64) float64 { return 1e3 * took[int(part*float64(len(took)-1))].Seconds() }
		rate := float64(stream.inTime[status]) / during.Seconds()
		answers[strconv.Itoa(status)] = Status{len(took), rate, at(0.5), at(0.99), at(1)}
	}
	return Report{answers, stream.failures + stream.open - len(stream.idle)}
}

// answer tells the status of the answer under way, and whether all of it is here.
func (conn *connection) answer() (int, bool) {
	head := bytes.Index(conn.got, []byte("\r\n\r\n"))
	if head < 12 {
		return 0, false
	}
	status, err := strconv.Atoi(string(conn.got[9:12]))
	if err != nil {
		return 0, true
	}
	for _, line := range bytes.Split(conn.got[:head], []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("content-length")) {
			size, _ := strconv.Atoi(string(bytes.TrimSpace(value)))
			return status, len(conn.got) >= head+4+size
		}
	}
	return status, bytes.HasSuffix(conn.got, []byte("\r\n0\r\n\r\n")) // in chunks
}
