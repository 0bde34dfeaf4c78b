package weights

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"unsafe"
)

// mapping is a file mapped into memory.
type mapping struct {
	path string
	info os.FileInfo // as it was opened
	data []byte
	held bool // data is memory with what the file held
}

var (
	mappingsMu sync.Mutex
	mappings   = map[*mapping]bool{}
)

// openMapping maps a whole file for reading.
func openMapping(path string) (*mapping, error) {
	// Asked before it is opened: opening a named pipe waits for its other end.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	m := &mapping{path: path, info: info}
	if info.Size() > 0 {
		if m.data, err = mapFile(f, info.Size()); err != nil {
			return nil, fmt.Errorf("map %s: %w", path, err)
		}
	}
	mappingsMu.Lock()
	mappings[m] = true
	mappingsMu.Unlock()
	return m, nil
}

func (m *mapping) close() error {
	mappingsMu.Lock()
	known := mappings[m]
	delete(mappings, m)
	mappingsMu.Unlock()
	if !known || m.data == nil {
		return nil
	}
	data := m.data
	m.data = nil
	return unmap(data)
}

// ReplacedError says that a model file is no longer the one that was opened.
type ReplacedError struct {
	Path string
	// InPlace says that the bytes under the process changed. Where it is false,
	// another file or none has the name, and what was opened is as it was.
	InPlace bool
}

// Error names the file.
func (e *ReplacedError) Error() string {
	if e.InPlace {
		return e.Path + " was written to while it was in use"
	}
	return e.Path + " was replaced or removed while it was in use"
}

// Hint says what to do.
func (e *ReplacedError) Hint() string {
	return "run the command again: it reads the file that is there now"
}

// unchanged says with a ReplacedError that the file under its name is another
// now, or has been written to.
func (m *mapping) unchanged() error {
	info, err := os.Stat(m.path)
	switch {
	case err != nil || !os.SameFile(info, m.info):
		return &ReplacedError{Path: m.path}
	case info.Size() != m.info.Size() || !info.ModTime().Equal(m.info.ModTime()):
		return &ReplacedError{Path: m.path, InPlace: !m.held}
	}
	return nil
}

// LostError says that a mapped file became unreadable: it was cut short, or its
// disk is gone.
type LostError struct {
	Path string
}

// Error names the file.
func (e *LostError) Error() string {
	return e.Path + " changed or vanished while it was in use"
}

// Hint says what to do.
func (e *LostError) Hint() string {
	return "put the file back and run the command again; nothing else was lost"
}

// Guard runs f, which may read mapped files, and turns a memory fault inside one
// of them into a LostError. Faults elsewhere and all other panics go on.
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface{ Addr() uintptr })
		if !ok {
			panic(r)
		}
		m := at(fault.Addr())
		if m == nil {
			panic(r)
		}
		err = &LostError{Path: m.path}
	}()
	return f()
}

// at finds the mapping that holds an address.
func at(addr uintptr) *mapping {
	mappingsMu.Lock()
	defer mappingsMu.Unlock()
	for m := range mappings {
		if len(m.data) == 0 {
			continue
		}
		// A mapping is whole pages, whatever the length of its file.
		base := uintptr(unsafe.Pointer(unsafe.SliceData(m.data)))
		size := (len(m.data) + pageSize - 1) / pageSize * pageSize
		if addr >= base && addr < base+uintptr(size) {
			return m
		}
	}
	return nil
}

var pageSize = os.Getpagesize()

var errEmpty = errors.New("the file is empty")
