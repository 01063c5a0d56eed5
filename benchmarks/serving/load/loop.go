package main

import (
	"fmt"
	"syscall"
	"time"
)

// patience is how long answers are waited for after the end.
const patience = 5 * time.Second

// Times are how long to send before anything counts, and how long to count.
type Times struct {
	warm, during time.Duration
}

// A Loop sends what is due and takes what comes, on all connections of all streams.
type Loop struct {
	epoll       int
	streams     []*stream
	connections map[int]*connection
	buffer      []byte
	begin, end  time.Time
}

func newLoop() (*Loop, error) {
	epoll, err := syscall.EpollCreate1(0)
	return &Loop{epoll: epoll, connections: map[int]*connection{}, buffer: make([]byte, 256*1024)}, err
}

func (loop *Loop) add(stream *stream) error {
	loop.streams = append(loop.streams, stream)
	for range stream.connections {
		if err := loop.connect(stream); err != nil {
			return err
		}
	}
	return nil
}

func (loop *Loop) connect(stream *stream) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: stream.port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("connect to port %d: %w", stream.port, err)
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(loop.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		return err
	}
	conn := &connection{fd: fd, stream: stream, isIdle: true}
	loop.connections[fd] = conn
	stream.open++
	stream.idle = append(stream.idle, conn)
	return nil
}

// run sends until the time is over, then waits for what is under way.
func (loop *Loop) run(times Times) error {
	start := time.Now()
	loop.begin = start.Add(times.warm)
	loop.end = loop.begin.Add(times.during)
	for {
		now := time.Now()
		if now.After(loop.end) && (loop.isQuiet() || now.After(loop.end.Add(patience))) {
			return nil
		}
		for _, stream := range loop.streams {
			for !now.After(loop.end) && len(stream.idle) > 0 {
				at, isDue := stream.due(start, now)
				if !isDue {
					break
				}
				if err := loop.send(stream, at); err != nil {
					return err
				}
			}
		}
		if err := loop.receive(); err != nil {
			return err
		}
	}
}

func (loop *Loop) isQuiet() bool {
	for _, stream := range loop.streams {
		if len(stream.idle) < stream.open {
			return false
		}
	}
	return true
}

func (loop *Loop) send(stream *stream, dueAt time.Time) error {
	conn := stream.idle[0]
	stream.idle = stream.idle[1:]
	stream.sent++
	conn.isIdle, conn.dueAt, conn.got = false, dueAt, conn.got[:0]
	for rest := stream.request; len(rest) > 0; {
		n, err := syscall.Write(conn.fd, rest)
		if err == syscall.EAGAIN {
			continue
		}
		if err != nil {
			return loop.replace(conn)
		}
		rest = rest[n:]
	}
	return nil
}

func (loop *Loop) receive() error {
	var events [256]syscall.EpollEvent
	n, err := syscall.EpollWait(loop.epoll, events[:], 0)
	if err != nil && err != syscall.EINTR {
		return err
	}
	for i := range max(n, 0) {
		conn := loop.connections[int(events[i].Fd)]
		if conn == nil {
			continue
		}
		if err := loop.take(conn); err != nil {
			return err
		}
	}
	return nil
}

func (loop *Loop) take(conn *connection) error {
	size, err := syscall.Read(conn.fd, loop.buffer)
	if err == syscall.EAGAIN {
		return nil
	}
	if err != nil || size <= 0 {
		return loop.replace(conn)
	}
	conn.got = append(conn.got, loop.buffer[:size]...)
	status, isWhole := conn.answer()
	if !isWhole {
		return nil
	}
	now := time.Now()
	if !conn.dueAt.Before(loop.begin) {
		conn.stream.count(status, now.Sub(conn.dueAt), !now.After(loop.end))
	}
	conn.isIdle = true
	conn.stream.idle = append(conn.stream.idle, conn)
	return nil
}

// replace opens another connection for one that the server closed; a request under way there has failed.
func (loop *Loop) replace(conn *connection) error {
	stream := conn.stream
	delete(loop.connections, conn.fd)
	stream.open--
	if !conn.isIdle {
		stream.failures++
	}
	for i, other := range stream.idle {
		if other == conn {
			stream.idle = append(stream.idle[:i:i], stream.idle[i+1:]...)
			break
		}
	}
	if err := syscall.Close(conn.fd); err != nil {
		return err
	}
	return loop.connect(stream)
}
